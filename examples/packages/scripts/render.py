import markdown


def main(text: str) -> dict:
    renderer = markdown.Markdown(extensions=["tables", "toc"])
    html = renderer.convert(text)
    return {"html": html, "headings": [entry["name"] for entry in renderer.toc_tokens]}
