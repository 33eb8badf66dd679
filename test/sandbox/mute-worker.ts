// A worker that starts and never says that it is ready.
setInterval(() => undefined, 1e8);
