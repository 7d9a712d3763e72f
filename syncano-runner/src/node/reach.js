// What the text of a script can change beyond what it makes itself: the classes of the language, Node's modules, the global
// scope. To look at all of that after each call would take longer than many a call, so the text says where to look. It shows what is
// done by ordinary means, which is what a script's own later calls need; where in doubt, something is looked at.

const reach = bare({
  // The names in the text.
  words: new Set(),
  // The script may change an object that isn't its own.
  writes: true,
  // It may do so by keys that it computes.
  writesAnyKey: true,
  // By other means than assignment, so that a change is not seen in the value of a property.
  isPrecise: true,
  // To something that it doesn't name.
  isDynamic: true,
  // To the global scope by other means than assignment to a name.
  writesGlobals: true,
  // It may load packages, whose text nobody has read.
  loadsPackages: true,
  // It names what keeps something for all to see.
  measures: true,
  matches: true,
});

// Functions that change the object that they are given, and syntax that does.
const MUTATORS =
  /\b(?:assign|delete|define\w+|setPrototypeOf|freeze|seal|preventExtensions|__\w+__|Reflect|inherits|set[A-Z]\w*)\b/;
const PRECISE =
  /\b(?:define\w+|setPrototypeOf|freeze|seal|preventExtensions|__define\w+__|Reflect|Symbol|eval|Function)\b|\.\s*__proto__\s*=[^=]/;
// Ways to what a script hasn't named, and to code that isn't in its text.
const DYNAMIC =
  /\b(?:eval|Function|getPrototypeOf|vm)\b|(?:\.|\[['"`])\s*(?:constructor|__proto__)\b|\bwith\s*\(/;
const GLOBAL = /\b(?:globalThis|global|this)\b/;

// A longer text isn't read so closely.
const LONGEST_READ = 256 * 1024;

function readReach(source) {
  reach.words = new Set(source.match(/[A-Za-z_$][\w$]*/g));
  reach.loadsPackages = packages.folder !== undefined && /\b(?:require|import)\b/.test(source);
  reach.measures = reach.words.has('performance');
  reach.matches = reach.words.has('RegExp');
  if (source.length > LONGEST_READ) return;
  reach.isDynamic = DYNAMIC.test(source);
  reach.isPrecise = PRECISE.test(source);
  reach.writesGlobals = reach.isPrecise && GLOBAL.test(source);
  const kinds = kindsOfAssignment(source);
  reach.writesAnyKey = kinds.toAnyKey || reach.isDynamic;
  // Timers are set, not settings.
  const others = source.replace(/\bset(?:Timeout|Interval|Immediate|Response|Header|Hours|Minutes|Date|Time)\b/g, '');
  reach.writes = kinds.toMember || kinds.toGlobal || reach.isDynamic || MUTATORS.test(others);
}

const DECLARED_BEFORE = /(?:^|[^\w$.])(?:const|let|var)\s*$/;

// What is assigned to in a text: members of objects, by keys that are computed, and global names. Each `=` is looked at
// from the right: only a plain name, or a pattern of names, is harmless.
function kindsOfAssignment(source) {
  const found = bare({
    toMember: /[\])]\s*(?:\+\+|--)|\.\s*[\w$]+\s*(?:\+\+|--)|(?:\+\+|--)\s*[\w$]+\s*[.[(]|\bfor\s*(?:await\s*)?\(\s*(?!const\b|let\b|var\b)[\w$]+\s*[.[]/.test(
      source,
    ),
    toAnyKey: /\]\s*(?:\+\+|--)/.test(source),
    toGlobal: false,
  });
  for (let at = source.indexOf('='); at >= 0; at = source.indexOf('=', at + 1)) {
    // `==`, `===`, `=>`
    if (source[at + 1] === '=' || source[at + 1] === '>') {
      while (source[at + 1] === '=') at++;
      continue;
    }
    let end = at;
    if (source[end - 1] === '!' || (/[<>]/.test(source[end - 1]) && source[end - 1] !== source[end - 2])) continue;
    while (end > 0 && /[-+*/%&|^?<>]/.test(source[end - 1])) end--;
    // What stands before a comment isn't looked for.
    if (source.slice(end, at).includes('*/')) found.toMember = true;
    while (end > 0 && /\s/.test(source[end - 1])) end--;
    const last = source[end - 1];
    if (last === undefined || /[\w$\u0080-\uffff]/.test(last)) {
      let start = end;
      while (start > 0 && /[\w$\u0080-\uffff]/.test(source[start - 1])) start--;
      const name = source.slice(start, end);
      while (start > 0 && /\s/.test(source[start - 1])) start--;
      if (start > 0 && /[./\\]/.test(source[start - 1])) found.toMember = true;
      else if (name in globalThis && !DECLARED_BEFORE.test(source.slice(Math.max(0, start - 10), start) + ' ')) found.toGlobal = true;
    } else if (last === ']' || last === '}') {
      const open = source.lastIndexOf(last === ']' ? '[' : '{', end);
      const isPattern = /^(?:[\s\w$,:={}'"?]|\.{3})*$/.test(source.slice(open + 1, end - 1));
      const isDeclared = DECLARED_BEFORE.test(source.slice(Math.max(0, open - 10), Math.max(0, open)));
      if (last === '}' && isPattern) continue;
      if (isPattern && isDeclared) continue;
      found.toMember = true;
      if (last === ']') found.toAnyKey = true;
    } else {
      found.toMember = true;
    }
  }
  return found;
}
