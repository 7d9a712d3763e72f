"""A script with a mistake."""


def main(items):
    for item in items:
        print(item
    return len(items)
