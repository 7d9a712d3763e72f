// Made by `syncano types`: run it again instead of changing this.

/** Of which keys, a script says itself: `/** @type {Syncano.NAMEArgs} *\/ const args = ARGS`. */
declare const ARGS: any;
declare const CONFIG: Record<string, any>;
declare const META: Record<string, any>;

/** An HTTP answer of the script's own: hand it to `setResponse`, or return it. */
declare class HttpResponse {
  constructor(status_code?: number, content?: any, content_type?: string, headers?: Record<string, string>);
  status_code: number;
  content: any;
  content_type: string;
  headers: Record<string, string>;
}

/** An error that the script's callers know by its name; `data` is anything that JSON can say. */
declare class AppError extends Error {
  constructor(...error: Syncano.AppErrors);
  data: unknown;
}

/** Makes `response` the answer of this call. The last one counts. */
declare function setResponse(response: HttpResponse): void;

/** Arguments and results of the functions whose scripts these are. */
declare namespace Syncano {
  /** What a default function gets beside its arguments. */
  interface Context {
    config: Record<string, any>;
    meta: Record<string, any>;
    HttpResponse: typeof HttpResponse;
  }

  /** The errors that functions declare, with their data. */
  type AppErrors = [name: string, data?: unknown];

  interface OrderLine {
    "article": string;
    "price-in-cents"?: number | null;
    "quantity": number;
  }

  interface Receipt {
    "by_article": Record<string, number>;
    "next"?: Receipt | null;
    "pair": Array<string | number>;
    "taken": Array<Taken>;
  }

  type State = "Gone" | StateDelayed;

  interface StateDelayed {
    "Delayed": StateDelayedDelayed;
  }

  interface StateDelayedDelayed {
    "days": number;
  }

  interface Taken {
    "article": string;
    "state": State;
  }

  // GET of the endpoint `javascript_shop/state`.
  interface StateArgs {
    "article": string;
  }
  type StateResult = "Gone" | StateDelayed;
  type StateMain = (args: StateArgs, context: Context) => StateResult | HttpResponse | Promise<StateResult | HttpResponse>;

  // POST of the endpoint `javascript_shop/total`.
  interface TotalArgs {
    "lines": Array<OrderLine>;
    "vat_percent"?: string;
  }
  type TotalResult = Receipt;
  type TotalMain = (args: TotalArgs, context: Context) => TotalResult | HttpResponse | Promise<TotalResult | HttpResponse>;
}
