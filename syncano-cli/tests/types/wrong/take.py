def main(lines: "list[str]", note: "str | None" = None) -> "TakeResult":
    print(note.upper())
    taken: "list[Taken]" = [{"article": 3, "state": "Gone"}]
    if not lines:
        raise AppError()
    return {"taken": taken, "by_article": {"tea": "1.5"}}
