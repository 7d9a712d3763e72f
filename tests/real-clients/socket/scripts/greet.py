print(CONFIG['greeting'] + ', ' + ARGS.get('name', 'you'))
