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

/** What the system's LibreOffice was seen to use besides (strace over documents, sheets and slides), and its near relatives. */
export const PROGRAM_CALLS: { readonly [reason: string]: { readonly [name: string]: Numbers } } = {
  'files of its own: only /tmp is writable, and that is memory': {
    pwrite64: [18, 68],
    unlink: [87, -1],
    unlinkat: [263, 35],
    mkdir: [83, -1],
    mkdirat: [258, 34],
    rmdir: [84, -1],
    rename: [82, -1],
    renameat: [264, 38],
    renameat2: [316, 276],
    ftruncate: [77, 46],
    truncate: [76, 45],
    fdatasync: [75, 83],
    fsync: [74, 82],
    fadvise64: [221, 223],
    fallocate: [285, 47],
    chmod: [90, -1],
    fchmod: [91, 52],
    fchmodat: [268, 53],
    chown: [92, -1],
    fchown: [93, 55],
    fchownat: [260, 54],
    utimensat: [280, 88],
    umask: [95, 166],
    chdir: [80, 49],
    fchdir: [81, 50],
    statfs: [137, 43],
    fstatfs: [138, 44],
    getxattr: [191, 8],
    lgetxattr: [192, 9],
    fgetxattr: [193, 10],
    flock: [73, 32],
    sendfile: [40, 71],
    pwritev: [296, 70],
    preadv: [295, 69],
  },
  'processes of its own, in a namespace that dies with the child': {
    fork: [57, -1],
    vfork: [58, -1],
    kill: [62, 129],
    waitid: [247, 95],
    setsid: [112, 157],
    getsid: [124, 156],
    getpgrp: [111, -1],
    getpgid: [121, 155],
    setpgid: [109, 154],
    pipe: [22, -1],
    select: [23, -1],
    pselect6: [270, 72],
    close_range: [436, 436],
    mlock: [149, 228],
    munlock: [150, 229],
    mincore: [27, 232],
    memfd_create: [319, 279],
    alarm: [37, -1],
    setitimer: [38, 103],
  },
  // Which sockets there may be is decided where they are made, below; the namespace has no network besides.
  'UNIX sockets between its processes': {
    bind: [49, 200],
    listen: [50, 201],
    accept: [43, 202],
    accept4: [288, 242],
    connect: [42, 203],
    sendto: [44, 206],
    recvfrom: [45, 207],
    sendmsg: [46, 211],
    recvmsg: [47, 212],
    setsockopt: [54, 208],
  },
};

/** Calls of programs that are allowed for AF_UNIX only, by their first argument. */
export const UNIX_SOCKET_CALLS = {
  socket: [41, 198],
  socketpair: [53, 199],
} as const satisfies { readonly [name: string]: Numbers };

/** PR_CAPBSET_READ: libcap counts the capabilities there are. */
export const PROGRAM_PRCTLS = [23] as const;
