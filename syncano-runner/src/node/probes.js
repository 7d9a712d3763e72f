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

const connected = port =>
  new Promise((yes, no) => {
    const socket = require('net').connect(port, '127.0.0.1');
    socket.on('error', no).on('connect', () => (socket.destroy(), yes()));
  });

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
