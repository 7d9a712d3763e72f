// What a call answers, and what it shows of an error.

class Answer {
  constructor(kind, exit, head, body) {
    this.kind = kind;
    this.exit = exit;
    this.head = head;
    this.body = body;
  }
}
setPrototypeOf(Answer.prototype, null);

// The answer of a call whose script has come to its end. `returned` is what the default function returned, undefined for
// a program.
function answerOf(returned) {
  const response = isResponse(returned) ? returned : (returned ?? undefined) === undefined ? state.response : undefined;
  if (isResponse(response)) return answerWith(response);
  if (!state.isFunction) return new Answer(NOTHING, 0, EMPTY, EMPTY);
  const body = limited(toJson(returned === undefined ? null : returned, 'what the default function returned'));
  return new Answer(VALUE, 0, EMPTY, body);
}

function answerWith(response) {
  const { status_code, content, content_type, headers } = response;
  if (getPrototypeOf(response) === HttpResponse.prototype) {
    const names = keys(response);
    // Those that every response has come first.
    if (names.length > FIELDS.length) {
      const all = `\`${FIELDS[0]}\`, \`${FIELDS[1]}\`, \`${FIELDS[2]}\` and \`${FIELDS[3]}\``;
      throw new Refused(`an HttpResponse has no field \`${names[FIELDS.length]}\`: its fields are ${all}`);
    }
  }
  const status = typeof status_code === 'string' && status_code !== '' ? +status_code : status_code;
  if (typeof status !== 'number' || status !== status) {
    throw new Refused(`the response's status code is not a number: ${shown(status_code)}`);
  }
  if (!(status >= 0 && status < 1000)) {
    throw new Refused(`the response's status code ${status} is not within 200 to 599`);
  }
  const head = encode(
    `[${status - (status % 1)},${textToJson(content_type, 'content type')},[${headersToJson(headers)}]]`,
  );
  if (head.length > MAX_HEAD) throw new Refused("the response's headers are too long");
  return new Answer(RESPONSE, 0, head, limited(bytesOf(content)));
}

const FIELDS = ['status_code', 'content', 'content_type', 'headers'];

// `["name","value"],…`
function headersToJson(headers) {
  if (headers === undefined || headers === null) return '';
  if (typeof headers !== 'object' || isArray(headers) || typeof headers[Symbol.iterator] === 'function') {
    throw new Refused(`the response's headers are not a plain object: ${shown(headers)}`);
  }
  const names = keys(headers);
  let text = '';
  for (let index = 0; index < names.length; index++) {
    const name = names[index];
    text += `${index === 0 ? '' : ','}[${textToJson(name, 'headers')},${textToJson(headers[name], 'headers')}]`;
  }
  return text;
}

function textToJson(value, what) {
  let text;
  try {
    text = `${value}`;
  } catch {
    throw new Refused(`the response's ${what} can't be made a text: ${shown(value)}`);
  }
  const json = stringify(text);
  if (hasHalf(json)) throw new Refused(`the response's ${what} can't be sent: it has ${HALF}`);
  return json;
}

function bytesOf(content) {
  if (typeof content === 'string') return encode(content);
  if (content === undefined) return EMPTY;
  if (isAnyArrayBuffer(content)) return new Uint8Array(content);
  if (isView(content)) return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  return toJson(content, "the response's content");
}

// The externally tagged JSON of an AppError that the script let go.
function appErrorToJson(error) {
  const { name, data } = error;
  if (typeof name !== 'string' || name === '') {
    throw new Refused(`the name of an AppError must be a text that isn't empty: ${shown(name)}`);
  }
  const tag = toJson(name, 'the name of an AppError');
  if (data === undefined || data === null) return tag;
  const value = toJson(data, `the data of AppError '${name}'`);
  const body = new Uint8Array(tag.length + value.length + 3);
  body[0] = 0x7b; // {
  for (let index = 0; index < tag.length; index++) body[1 + index] = tag[index];
  body[1 + tag.length] = 0x3a; // :
  for (let index = 0; index < value.length; index++) body[2 + tag.length + index] = value[index];
  body[body.length - 1] = 0x7d; // }
  return limited(body);
}

function limited(body) {
  if (body.length > MAX_ANSWER) {
    throw new Refused(`the answer has ${body.length} bytes; at most ${MAX_ANSWER} are allowed`);
  }
  return body;
}

function shown(value) {
  try {
    return inspect(value);
  } catch {
    return `a ${typeof value}`;
  }
}

function messageOf(error) {
  try {
    return `${error.message}`;
  } catch {
    return 'an error that has no text';
  }
}

// An error as Node itself shows it, the script's frames only.
function describe(error) {
  const refusal = refusalIn(error);
  if (refusal !== undefined) return refusal;
  const text = shown(error);
  if (!isNativeError(error)) return `Uncaught ${text}`;
  return withLine(withoutRunner(isAppError(error) ? withKind(text, error) : text));
}

// Node puts the name of an error before its message. Of an AppError both are the same.
function withKind(text, { name }) {
  const heading = typeof name === 'string' ? `${name}: ` : '\n';
  const at = startsWith(text, heading) ? 0 : indexOf(text, `\n${heading}`) + 1;
  if (!startsWith(slice(text, at), heading)) return text;
  return `${slice(text, 0, at)}AppError: ${slice(text, at + heading.length)}`;
}

// Cuts our frames, and those of Node at the end of a stack, out of a text.
function withoutRunner(text) {
  let result = '';
  // Frames of Node, which may have one of the script's below them.
  let held = '';
  for (let start = 0; start < text.length; ) {
    const newline = indexOf(text, '\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = slice(text, start, end);
    start = end + 1;
    if (startsWith(trimStart(line), 'at ')) {
      const isOurs = indexOf(line, '<syncano worker>') >= 0 || indexOf(line, '[eval]') >= 0;
      if (isOurs || indexOf(line, 'node:') >= 0) {
        held = isOurs ? '' : `${held}\n${line}`;
        // What else the error holds follows in braces, which open at the end of its last frame.
        if (line[line.length - 1] === '{') result += ' {';
      } else {
        result += `${held}\n${line}`;
        held = '';
      }
    } else {
      result += result === '' ? line : `\n${line}`;
      held = '';
    }
  }
  return result;
}

// Puts the line of the script that an error comes from before its text, as Node does for programs.
function withLine(text) {
  const place = `${script.filename}:`;
  const at = indexOf(text, place);
  // Node has done so.
  if (at <= 0) return text;
  const line = numberAt(text, at + place.length);
  const column = numberAt(text, at + place.length + `${line}`.length + 1);
  let start = 0;
  for (let number = 1; number < line && start >= 0; number++) start = indexOf(script.source, '\n', start) + 1 || -1;
  if (line === 0 || start < 0) return text;
  const newline = indexOf(script.source, '\n', start);
  const end = newline < 0 ? script.source.length : newline;
  if (end - start > LONGEST_LINE) return text;
  let marker = '^';
  for (let number = 1; number < column; number++) marker = ` ${marker}`;
  return `${place}${line}\n${slice(script.source, start, end)}\n${marker}\n\n${text}`;
}

const LONGEST_LINE = 200;

// The number that stands in `text` at `at`.
function numberAt(text, at) {
  let number = 0;
  for (; text[at] >= '0' && text[at] <= '9'; at++) number = 10 * number + +text[at];
  return number;
}

function printError(error) {
  stderr.write(encode(`${describe(error)}\n${hintFor(error)}`));
}
