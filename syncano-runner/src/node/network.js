// The way out. The process has a network of its own, in which nothing is but the server's proxy: every connection goes to
// an address there, an alias, that the proxy gives for a host and a port and that leads to them. Node asks for it where it would
// look up a name, so whatever stands on its sockets (http, https, tls, fetch) works as ever.

const { Socket, _normalizeArgs } = require('net');
const { domainToASCII } = require('url');

// Where the proxy listens; null where there is none: then either nothing can be connected to, or the network is the machine's.
const proxy = /^http:\/\/([\d.]+):(\d+)$/.exec(process.env.http_proxy);

// What is connected now.
const sockets = new Set();

function connectionError(code, text) {
  return Object.assign(new Error(text), { code });
}

const connectDirectly = Socket.prototype.connect;

// Asks the proxy for the address that leads to a host and a port.
function askForAlias(host, port, done) {
  const socket = new Socket();
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', data => (answer += data));
  socket.on('error', done);
  socket.on('end', () => {
    const end = answer.indexOf('\r\n\r\n');
    const text = answer.slice(end + 4).trim();
    if (answer.startsWith('HTTP/1.1 200 ')) done(null, text, 4);
    else if (end < 0) done(connectionError('ECONNRESET', `the server's proxy has closed the connection to \`${host}\``));
    else done(connectionError(/^error-code: (\w+)/im.exec(answer)?.[1], text));
  });
  apply(connectDirectly, socket, [{ host: proxy[1], port: proxy[2] }]);
  const name = host.includes(':') ? `[${host}]` : /^[\0-\x7f]*$/.test(host) ? host : domainToASCII(host);
  socket.write(`GET /${name}:${port} HTTP/1.1\r\nconnection: close\r\n\r\n`);
}

function refuseWithoutNetwork(host, port, done) {
  const text = 'scripts have no network at this level of isolation: it takes the level `namespace`';
  process.nextTick(done, connectionError('EACCES', text));
}

function provideNetwork() {
  if (proxy === null && process.env.SYNCANO_NETWORK !== 'none') {
    // What `fetch` keeps open for later requests is known by its descriptor only.
    noticeUse(Socket.prototype, 'connect', 'reachesFiles');
    return;
  }
  const ask = proxy === null ? refuseWithoutNetwork : askForAlias;
  const connect = function (...values) {
    traces.reachesFiles = true;
    const [options, listener] = isArray(values[0]) ? values[0] : _normalizeArgs(values);
    const { path, host = 'localhost', port } = options;
    const isProxy = proxy !== null && host === proxy[1] && `${port}` === proxy[2];
    // Node itself says what is wrong with a port.
    if (path || isProxy || !(port > 0 && port < 65536)) return apply(connectDirectly, this, values);
    sockets.add(this);
    this.once('close', () => sockets.delete(this));
    const lookup = (name, how, done) => ask(`${host}`, +port, done);
    const rest = { localAddress: undefined, localPort: undefined, family: 4, autoSelectFamily: false };
    // No address, which Node wouldn't look up.
    const name = /^[\d.]*$|:/.test(host) ? `${host} ` : host;
    const way = { ...options, ...rest, host: name, port: proxy === null ? port : +proxy[2], lookup };
    return apply(connectDirectly, this, [way, listener]);
  };
  define(connect, 'name', 'connect');
  define(Socket.prototype, 'connect', connect, true);
}

// Closes what agents keep open for later requests: the proxy closes it with the call. Whether anything was.
function closeConnections() {
  if (sockets.size === 0) return false;
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  return true;
}
