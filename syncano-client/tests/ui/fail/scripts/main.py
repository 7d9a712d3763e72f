"""Takes a title."""


def main(title: str, limit: int = 10):
    return title[:limit]
