/** @type {Syncano.StateArgs} */
const args = ARGS;
/** @type {Syncano.StateResult} */
const state = args.article;
setResponse({ state });
new HttpResponse('200');
