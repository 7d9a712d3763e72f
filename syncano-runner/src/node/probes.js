// Tries what a script must not be able to do, where there is no Python. Each function returns if it could, and throws what
// Node throws if it couldn't.
const fs = require('fs');

const probes = {
  read_files: of => fs.readFileSync(of.secret),
  read_passwords: () => fs.readFileSync('/etc/shadow'),
  list_folders: () => fs.readdirSync('/'),
  other_folder: of => fs.readdirSync(of.folder),
  write_files: of => {
    let refusal;
    for (const folder of ['/usr', '/etc', '/var/tmp', '/dev/shm', '']) {
      // Shared memory may lie in its own folder.
      if (folder === '/dev/shm' && fs.existsSync(folder) && fs.realpathSync(folder) === process.cwd()) continue;
      const path = `${folder}/syncano-probe-${of.server}`;
      try {
        fs.closeSync(fs.openSync(path, 'wx'));
      } catch (error) {
        refusal = error;
        continue;
      }
      return fs.unlinkSync(path);
    }
    throw refusal;
  },
  read_processes: of => fs.readFileSync(`/proc/${of.server}/environ`),
  list_processes: () => fs.readdirSync('/proc'),
  signal_processes: of => process.kill(of.server, 0),
  connect: of => connected(of.port),
  send_datagrams: () => {
    const socket = require('dgram').createSocket('udp4');
    const done = bound(socket);
    socket.bind(0);
    return done;
  },
  listen: () => bound(require('net').createServer().listen(0, '127.0.0.1')),
  start_processes: () => {
    const { error } = require('child_process').spawnSync('/bin/sh', ['-c', ':']);
    if (error) throw error;
  },
  see_files: of => fs.statSync(of.secret),
  see_processes: of => fs.statSync(`/proc/${of.server}`),
  see_the_machine: of => {
    if (require('os').hostname() !== of.machine) throw { code: 'the name is another one' };
  },
  fill_folder: of => fs.writeFileSync('large', Buffer.alloc(of.bytes + 1)),
  many_files: of => {
    for (let number = 0; number <= of.entries; number++) fs.closeSync(fs.openSync(`${number}`, 'wx'));
  },
};

// By Node's own handle: what stands on it may refuse before the kernel does, which is what is to be tried.
const connected = port =>
  new Promise((yes, no) => {
    const { TCP, TCPConnectWrap, constants } = process.binding('tcp_wrap');
    const request = new TCPConnectWrap();
    const handle = new TCP(constants.SOCKET);
    const end = status => (status ? no({ code: require('util').getSystemErrorName(status) }) : yes());
    request.oncomplete = status => (handle.close(), end(status));
    const failed = handle.connect(request, '127.0.0.1', port);
    if (failed) end(failed);
  });

const bound = socket =>
  new Promise((yes, no) => socket.on('error', no).on('listening', () => (socket.close(), yes())));

export default async ({ probe, of }) => {
  if (!probes[probe]) return ['untried', 'it takes Python'];
  try {
    await probes[probe](of);
  } catch (error) {
    if (error.code) return ['refused', error.code];
    throw error;
  }
  return ['possible', ''];
};
