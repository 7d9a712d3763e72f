"""Program style."""

import json

args: "LeftArgs" = ARGS
if args["article"] == "gold":
    set_response(HttpResponse(404, {"left": 0}, headers={"x-reason": "never had it"}))
else:
    left: "LeftResult" = [[len(args["article"]), True], None]
    print(json.dumps(left))
