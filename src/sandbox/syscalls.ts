// The system calls a jailed child may make; whatever is not here answers ENOSYS. The list is what Node 26, V8, PDFium and
// libvips were seen to use over real mails, PDFs and pictures (strace), and their near relatives on other C libraries.

/** Numbers on x86-64 and arm64 (Linux `asm/unistd_64.h`, `asm-generic/unistd.h`); -1 where there is no such call. */
export type Numbers = readonly [x64: number, arm64: number];

export const ALLOWED: { readonly [reason: string]: { readonly [name: string]: Numbers } } = {
  // V8 writes machine code, so executable memory cannot be denied here.
  'memory of its own': {
    mmap: [9, 222],
    munmap: [11, 215],
    mprotect: [10, 226],
    mremap: [25, 216],
    madvise: [28, 233],
    brk: [12, 214],
    membarrier: [324, 283],
  },
  'open descriptors: the pipes, and its own code': {
    read: [0, 63],
    write: [1, 64],
    readv: [19, 65],
    writev: [20, 66],
    pread64: [17, 67],
    close: [3, 57],
    lseek: [8, 62],
    fcntl: [72, 25],
    dup: [32, 23],
    dup2: [33, -1],
    dup3: [292, 24],
    pipe2: [293, 59],
    shutdown: [48, 210],
  },
  'looking at files: the file system holds only code and is read-only': {
    open: [2, -1],
    openat: [257, 56],
    fstat: [5, 80],
    newfstatat: [262, 79],
    stat: [4, -1],
    lstat: [6, -1],
    statx: [332, 291],
    access: [21, -1],
    faccessat: [269, 48],
    faccessat2: [439, 439],
    readlink: [89, -1],
    readlinkat: [267, 78],
    getcwd: [79, 17],
    getdents64: [217, 61],
  },
  // The pipes that Node makes for a child's stdio are UNIX sockets; libuv asks what they are.
  'asking what a descriptor is': {
    getsockopt: [55, 209],
    getsockname: [51, 204],
    getpeername: [52, 205],
  },
  'waiting for input': {
    epoll_create1: [291, 20],
    epoll_ctl: [233, 21],
    epoll_wait: [232, -1],
    epoll_pwait: [281, 22],
    epoll_pwait2: [441, 441],
    eventfd2: [290, 19],
    poll: [7, -1],
    ppoll: [271, 73],
  },
  'threads and their end': {
    futex: [202, 98],
    set_robust_list: [273, 99],
    set_tid_address: [218, 96],
    rseq: [334, 293],
    gettid: [186, 178],
    sched_yield: [24, 124],
    sched_getaffinity: [204, 123],
    sched_getparam: [143, 121],
    sched_getscheduler: [145, 120],
    sched_getattr: [315, 275],
    exit: [60, 93],
    exit_group: [231, 94],
  },
  'its own signals': {
    rt_sigaction: [13, 134],
    rt_sigprocmask: [14, 135],
    rt_sigreturn: [15, 139],
    sigaltstack: [131, 132],
    tgkill: [234, 131],
    restart_syscall: [219, 128],
  },
  'the time, and randomness': {
    clock_gettime: [228, 113],
    clock_getres: [229, 114],
    clock_nanosleep: [230, 115],
    nanosleep: [35, 101],
    gettimeofday: [96, 169],
    time: [201, -1],
    getrusage: [98, 165],
    times: [100, 153],
    getrandom: [318, 278],
  },
  'who and where it is': {
    getpid: [39, 172],
    getppid: [110, 173],
    getuid: [102, 174],
    geteuid: [107, 175],
    getgid: [104, 176],
    getegid: [108, 177],
    capget: [125, 90],
    uname: [63, 160],
    sysinfo: [99, 179],
    getcpu: [309, 168],
    getrlimit: [97, 163],
    prlimit64: [302, 261],
  },
  // bubblewrap starts `prlimit`, which becomes Node; bubblewrap's own process 1 waits for it.
  'the start of the child': {
    execve: [59, 221],
    wait4: [61, 260],
    arch_prctl: [158, -1],
  },
};

/** Calls that are allowed with certain arguments only. */
export const BY_ARGUMENT = {
  /** Threads yes, processes and namespaces no. The flags of `clone3` lie in memory, where a filter cannot look: it is denied. */
  clone: [56, 220],
  /** Only the questions libuv asks; none that types into a terminal. */
  ioctl: [16, 29],
  /** Only the names of threads and of mappings. */
  prctl: [157, 167],
} as const satisfies { readonly [name: string]: Numbers };

/** Flags of clone(2) that make a thread of the same process: CLONE_VM, CLONE_SIGHAND, CLONE_THREAD. */
export const THREAD_FLAGS = 0x00010900;
/** Flags of clone(2) that make namespaces: mount, cgroup, UTS, IPC, user, PID, network. */
export const NAMESPACE_FLAGS = 0x7e020000;
/** TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. */
export const IOCTLS = [0x5401, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451] as const;
/** PR_SET_NAME, PR_GET_NAME, PR_SET_VMA. */
export const PRCTLS = [15, 16, 0x53564d41] as const;
