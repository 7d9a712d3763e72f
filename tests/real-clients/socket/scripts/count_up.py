print(ARGS.get('from', 0) + 1)
