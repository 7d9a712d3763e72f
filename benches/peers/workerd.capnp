using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .greet)],
  sockets = [(name = "http", address = "127.0.0.1:8091", http = (), service = "main")],
);

const greet :Workerd.Worker = (
  modules = [(name = "workerd.js", esModule = embed "workerd.js")],
  compatibilityDate = "2026-01-01",
);
