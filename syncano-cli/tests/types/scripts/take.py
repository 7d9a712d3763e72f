"""Takes from the stock: function style."""


def main(lines: "list[OrderLine]", note: "str | None" = None) -> "TakeResult":
    taken: "list[Taken]" = []
    for line in lines:
        if line["quantity"] > CONFIG["most"]:
            raise AppError("OutOfStock", {"left": CONFIG["most"]})
        taken.append({"article": line["article"], "state": "Gone"})
    if note is not None:
        taken.append({"article": note.upper(), "state": {"Delayed": {"days": 3}}})
    return {"taken": taken, "by_article": {"tea": 1.5}, "pair": ["tea", 1]}
