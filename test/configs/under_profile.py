# under_profile.py PROFILE COMMAND…: becomes COMMAND under a seccomp profile as container engines read them, by libseccomp.
import ctypes
import json
import os
import sys

lib = ctypes.CDLL('libseccomp.so.2', use_errno=True)
lib.seccomp_init.restype = ctypes.c_void_p
lib.seccomp_init.argtypes = [ctypes.c_uint32]
lib.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p]
lib.seccomp_load.argtypes = [ctypes.c_void_p]
profile = json.load(open(sys.argv[1]))
assert profile['defaultAction'] == 'SCMP_ACT_ALLOW'
context = lib.seccomp_init(0x7FFF0000)
for group in profile['syscalls']:
    assert group['action'] == 'SCMP_ACT_ERRNO'
    for name in group['names']:
        number = lib.seccomp_syscall_resolve_name(name.encode())
        assert number != -1, 'there is no call ' + name
        if number < 0:
            continue  # not on this machine
        assert lib.seccomp_rule_add_array(context, 0x00050000 | group['errnoRet'], number, 0, None) == 0, name
assert lib.seccomp_load(context) == 0
os.execvp(sys.argv[2], sys.argv[2:])
