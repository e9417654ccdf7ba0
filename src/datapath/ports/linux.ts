import koffi from 'koffi';
import { DatapathError } from '../errors.ts';

// The system calls that ports need and Node.js has no API for. All are synchronous and none blocks: sockets and devices are
// opened with O_NONBLOCK, and waiting is `poll-thread.ts`'s business.

const libc = koffi.load('libc.so.6');

const calls = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
  recvmmsg: libc.func('int recvmmsg(int fd, uintptr_t messages, uint32_t count, int flags, void *timeout)'),
  sendmmsg: libc.func('int sendmmsg(int fd, uintptr_t messages, uint32_t count, int flags)'),
  readv: libc.func('intptr_t readv(int fd, uintptr_t vectors, int count)'),
  writev: libc.func('intptr_t writev(int fd, uintptr_t vectors, int count)'),
  send: libc.func('intptr_t send(int fd, uintptr_t bytes, size_t count, int flags)'),
  recv: libc.func('intptr_t recv(int fd, void *buffer, size_t count, int flags)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
  mmap: libc.func('intptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)'),
  munmap: libc.func('int munmap(uintptr_t address, size_t length)'),
  syscall: libc.func('long syscall(long number, int command, void *attributes, uint32_t bytes)'),
  ifNameToIndex: libc.func('uint32_t if_nametoindex(const char *name)'),
  open: libc.func('int open(const char *path, int flags)'),
  ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argument)'),
  read: libc.func('intptr_t read(int fd, void *buffer, size_t count)'),
  write: libc.func('intptr_t write(int fd, const void *buffer, size_t count)'),
  close: libc.func('int close(int fd)'),
  poll: libc.func('int poll(void *descriptors, unsigned long count, int timeoutMs)'),
  eventfd: libc.func('int eventfd(uint32_t initial, int flags)'),
};

export const {
  socket,
  bind,
  setsockopt,
  getsockopt,
  recvmmsg,
  sendmmsg,
  send,
  recv,
  readv,
  writev,
  ifNameToIndex,
  open,
  ioctl,
  read,
  write,
  close,
  poll,
  mmap,
  munmap,
  syscall,
} = calls;

/** Address of a buffer's first byte, to be written into structures that the kernel follows. The buffer must be kept alive. */
export function addressOf(bytes: Uint8Array): bigint {
  return BigInt(koffi.address(bytes));
}

const EFD_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;

/** A descriptor that poll(2) finds readable after `writeEvent`, until `readEvent`. */
export function createEventFd(): number {
  const fd = calls.eventfd(0, EFD_CLOEXEC_NONBLOCK) as number;
  if (fd < 0) throw openError('eventfd');
  return fd;
}

export function writeEvent(fd: number): void {
  write(fd, new Uint8Array(new BigUint64Array([1n]).buffer), 8);
}

export function readEvent(fd: number): void {
  read(fd, new Uint8Array(8), 8);
}

/** errno of the call before. */
export function errno(): number {
  return koffi.errno();
}

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  ENETDOWN: 100,
  ENOBUFS: 105,
} as const;

/** The texts of strerror(3) that opening a device ends in. */
const ERRNO_TEXT: Readonly<Record<number, string>> = {
  [ERRNO.EPERM]: 'Operation not permitted',
  [ERRNO.ENOENT]: 'No such file or directory',
  [ERRNO.EACCES]: 'Permission denied',
  [ERRNO.EBUSY]: 'Device or resource busy',
  [ERRNO.ENODEV]: 'No such device',
  [ERRNO.EINVAL]: 'Invalid argument',
};

/** The error of a port that could not be opened, in the words of Open vSwitch's `error` column. */
export function openError(device: string, code = errno()): DatapathError {
  return new DatapathError('DATAPATH_CANNOT_OPEN', `could not open network device ${device} (${errorText(code)})`);
}

/** strerror(3) of the codes that devices give. */
export function errorText(code: number): string {
  return ERRNO_TEXT[code] ?? `errno ${code}`;
}

/** How packet threads that wait for devices are woken. */
export const EVENT_DESCRIPTORS = {
  create: createEventFd,
  write: writeEvent,
  close: (fd: number): void => void close(fd),
};
