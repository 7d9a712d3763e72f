// Program style.

/** @type {Syncano.StateArgs} */
const args = ARGS;

/** @type {Syncano.StateResult} */
const state = args.article === 'tea' ? 'Gone' : { Delayed: { days: 2 } };
setResponse(new HttpResponse(200, JSON.stringify(state), 'application/json', { 'x-state': 'known' }));
