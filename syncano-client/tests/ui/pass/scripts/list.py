def main(limit=None):
    return ["a", "b"][:limit]
