"""Calls endpoints through the client that was generated from the instance's OpenAPI document."""

import sys

from shop_client import AuthenticatedClient, Client, models
from shop_client.api.shop import (
    shop_broken_get,
    shop_items_get,
    shop_items_put,
    shop_pay_post,
    shop_printed_get,
    shop_text_get,
)

url, key = sys.argv[1:]
# What stands in the document's `servers`.
url += "/v1.1/instances/generated-client"
anyone = Client(base_url=url)
owner = AuthenticatedClient(base_url=url, token=key, prefix="", auth_header_name="X-API-Key")

# A query: a list, what is left out, and an enum.
items = shop_items_get.sync(client=anyone, tags=["a", "b", "c"], limit=2, color=models.Color.RED)
assert [item.name for item in items] == ["a", "b"], items
assert items[0].color is models.Color.RED and items[0].parts[0].name == "tea", items
assert len(shop_items_get.sync(client=anyone, tags=["a"])) == 1
assert shop_items_get.sync(client=anyone, tags=[]) == []

# A body that is one argument, beside one in the query; private.
tea = models.Item2(name="tea", left=3, color=models.Color.GREEN, note=None, parts=[])
assert shop_items_put.sync(client=owner, body=tea, count=2).left == 1
refused = shop_items_put.sync_detailed(client=anyone, body=tea, count=2)
assert refused.status_code == 403, refused

# The script's own error has its type.
error = shop_items_put.sync(client=owner, body=tea, count=4)
assert error.out_of_stock.left == 3, error

# What doesn't fit is told by argument.
tea.left = -1
wrong = shop_items_put.sync(client=owner, body=tea, count=1)
assert wrong["item"] == ["at /item/left: expected a number from 0 to 4294967295, found `-1`"], wrong

# An enum with a tag, and arguments in a body.
cash = models.PaymentType0(kind="Cash", amount=1.5)
paid = shop_pay_post.sync(client=anyone, body=models.ShopPayPostBody(payment=cash, note="thanks"))
assert paid["Cash"] == "thanks", paid

# A program's output is the result, and a failed run no success.
assert shop_printed_get.sync(client=anyone)["left"] == 3
assert shop_text_get.sync(client=anyone) == "3"
broken = shop_broken_get.sync_detailed(client=anyone)
assert broken.status_code == 500 and "IndexError" in broken.parsed.result.stderr, broken

print("all calls were answered")
