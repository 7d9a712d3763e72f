"""Statistics of a text."""

import re
from collections import Counter

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# Words that say nothing about a text.
COMMON = frozenset("a an and are as at be by for from in is it its of on or that the this to what which with".split())


def main(text: str, top: int = 5) -> "Statistics":
    words = [word.lower() for word in WORD.findall(text)]
    telling = Counter(word for word in words if word not in COMMON and len(word) > 2)
    return {
        "lines": len(text.splitlines()),
        "words": len(words),
        "distinct": len(set(words)),
        "longest": max(words, key=len, default=""),
        "most_common": [{"word": word, "count": count} for word, count in telling.most_common(top)],
    }
