import { formatDuration } from '../../base/index.ts';
import type { DialReason, HostFailures } from '../../host/index.ts';
import type { FailureText, Printers } from './printer.ts';

export const hostPrinters: Printers<HostFailures> = {
  'host/file': ({ operation, path, errno }) => {
    const help = fileHelp[errno];
    return {
      title: `cannot ${fileOperation[operation] ?? operation} \`${path}\``,
      because: fileReason[errno] ?? errno,
      ...(help === undefined ? {} : { help }),
    };
  },
  'host/dial': ({ host, port, reason, detail, expected, seen }) => {
    const help = dialHelp[reason];
    return {
      title: `no connection to \`${host}:${port}\``,
      because:
        reason === 'fingerprint-mismatch'
          ? `expected the certificate fingerprint \`${expected}\` but found \`${seen}\``
          : reason === 'other'
            ? (detail ?? 'the connection ended')
            : dialReason[reason],
      ...(help === undefined ? {} : { help }),
    };
  },
  'host/listen': ({ host, port, errno }) => ({
    title: `cannot listen on \`${host}:${port}\``,
    because: errno === 'EADDRINUSE' ? 'another program listens there already' : errno,
    ...(errno === 'EADDRINUSE' ? { help: 'stop the other program, or let tk take a free port' } : {}),
  }),
  'host/command-not-found': ({ command }) => ({
    title: `the command \`${command}\` was not found`,
    help: `install \`${command}\`, or put the folder that holds it into PATH`,
  }),
  'host/command-timeout': ({ command, timeoutMs }) => ({ title: `\`${command}\` did not end within ${formatDuration(timeoutMs)}` }),
  'host/compute': ({ module, reason, detail }): FailureText => ({
    title: `work in \`${module.split('/').at(-1)}\` ${reason === 'timeout' ? 'took too long' : 'did not end well'}`,
    ...(detail === undefined ? {} : { because: detail }),
  }),
};

const fileOperation: Readonly<Record<string, string>> = {
  list: 'list',
  resolve: 'follow',
  'make-directory': 'make the directory',
  append: 'write to',
};

const fileReason: Readonly<Record<string, string>> = {
  ENOENT: 'there is no folder for it, and none can be made',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTEMPTY: 'the directory is not empty',
  ELOOP: 'its links lead in a circle',
  EIO: 'the disk reported an error',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
};

const fileHelp: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the disk and run the same command again',
  EACCES: 'make it accessible for you (`ls -l` shows whose it is) and run the same command again',
  EPERM: 'make it accessible for you (`ls -l` shows whose it is) and run the same command again',
  EDQUOT: 'make room on the disk and run the same command again',
  ENOTDIR: 'move the file that is in the way',
  EISDIR: 'move the folder that is in the way',
  EROFS: 'mount the file system writable, or work in a copy of the repository',
};

const dialReason: Readonly<Record<DialReason, string>> = {
  refused: 'connection refused',
  timeout: 'no answer before the deadline',
  unreachable: 'there is no route to the host',
  'name-not-found': 'the name cannot be resolved',
  reset: 'the connection was closed by the other side',
  'certificate-required': 'the other side wants a client certificate: this machine is configured already',
  'certificate-rejected': 'the other side does not accept our client certificate',
  'certificate-expired': 'the certificate of the other side has expired',
  'certificate-not-yet-valid': 'the certificate of the other side is not valid yet',
  'unknown-authority': 'the certificate of the other side was signed by an authority that we do not know',
  'name-mismatch': 'the certificate of the other side is not for this address',
  'fingerprint-mismatch': 'the certificate of the other side is not the expected one',
  'credentials-unusable': 'our certificate or key cannot be read',
  'not-talos': 'what listens there does not speak the expected protocol',
  'not-allowed': 'the sandbox dials nothing but its own machines',
  other: 'the connection ended',
};

const dialHelp: Partial<Readonly<Record<DialReason, string>>> = {
  refused: 'the machine may still be booting; see that it is on and that the address is right',
  timeout: 'see that the machine is on and that no firewall is in between',
  'certificate-rejected': 'the client certificate has expired or belongs to another cluster',
  'certificate-expired': 'compare the clocks of both machines',
  'certificate-not-yet-valid': 'compare the clocks of both machines',
  'unknown-authority': 'it is in maintenance mode, or belongs to another cluster',
  'name-mismatch': "add the address to the machine's certificate names (`certSANs`)",
  'fingerprint-mismatch': 'compare the fingerprint on the console of the machine; another machine may have this address',
};
