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

  // POST of the endpoint `comments/clean`.
  interface CleanArgs {
    "html": string;
  }
  type CleanResult = string;
  type CleanMain = (args: CleanArgs, context: Context) => CleanResult | HttpResponse | Promise<CleanResult | HttpResponse>;
}
