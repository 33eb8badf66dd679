# A real S3 server for tests: OpenStack Swift with its s3api, all four servers in one process, on loopback.
# swift_s3.py FOLDER ACCESS_KEY SECRET: makes rings and configuration in FOLDER (its file system must keep extended
# attributes), prints the port of the proxy and serves until it is killed.
# Debian 12's s3api (2.30) turns every conditional PUT away before Swift sees it, though Swift itself keeps
# `If-None-Match: *` (swift/obj/server.py); that one refusal is taken out here, nothing else is changed. Swift looks and then
# writes: two puts that overlap may both succeed, so what holds under a race is not tried against it.
import os
import sys

import eventlet

eventlet.monkey_patch()

import eventlet.wsgi
from swift.common import utils

folder, access_key, secret = sys.argv[1:4]
account, user = access_key.split(':')


def write(name, text):
    with open(os.path.join(folder, name), 'w') as file:
        file.write(text)
    return os.path.join(folder, name)


os.makedirs(os.path.join(folder, 'devices', 'one'))
write('swift.conf', '[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = tests\n'
      '[storage-policy:0]\nname = only\ndefault = yes\n')
# An option of the programs: read before the first import that needs it.
utils.SWIFT_CONF_FILE = os.path.join(folder, 'swift.conf')

from swift.common.ring import RingBuilder
from swift.common.middleware.s3api.s3request import S3Request
from swift.common.wsgi import loadapp

checked = S3Request._validate_headers


def validate_headers(self):
    condition = self.headers.get('If-None-Match')
    if condition != '*':
        return checked(self)
    del self.headers['If-None-Match']
    try:
        return checked(self)
    finally:
        self.headers['If-None-Match'] = condition


S3Request._validate_headers = validate_headers

SERVERS = ('account', 'container', 'object')
sockets = {name: eventlet.listen(('127.0.0.1', 0)) for name in SERVERS + ('proxy',)}
port_of = {name: sock.getsockname()[1] for name, sock in sockets.items()}

for name in SERVERS:
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': port_of[name], 'device': 'one', 'weight': 1.0})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, name + '.ring.gz'))

common = f'[DEFAULT]\nswift_dir = {folder}\ndevices = {folder}/devices\nmount_check = false\nbind_ip = 127.0.0.1\n'

apps = {}
for name in SERVERS:
    path = write(f'{name}-server.conf', f'{common}bind_port = {port_of[name]}\n'
                 f'[pipeline:main]\npipeline = {name}-server\n[app:{name}-server]\nuse = egg:swift#{name}\n'
                 'disable_fallocate = true\nfallocate_reserve = 0\n')
    apps[name] = loadapp(path)
path = write('proxy-server.conf', f'''{common}bind_port = {port_of['proxy']}
[pipeline:main]
pipeline = catch_errors proxy-logging cache listing_formats s3api tempauth copy dlo slo proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
dns_compliant_bucket_names = true
allow_multipart_uploads = false
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:dlo]
use = egg:swift#dlo
[filter:slo]
use = egg:swift#slo
''')
apps['proxy'] = loadapp(path)

quiet = open(os.devnull, 'w')
for name in SERVERS:
    eventlet.spawn_n(eventlet.wsgi.server, sockets[name], apps[name], quiet)
print(port_of['proxy'], flush=True)
eventlet.wsgi.server(sockets['proxy'], apps['proxy'], quiet)
