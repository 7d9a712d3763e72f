args: "LeftArgs" = ARGS
print(args["artikel"])
set_response({"left": 0})
set_response(HttpResponse("404"))
