// Node's own server, without a framework.
const http = require("node:http");

const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
        const { name, n } = JSON.parse(Buffer.concat(parts));
        let sum = 0;
        for (let i = 0; i < n; i++) sum += i;
        const body = JSON.stringify({ message: `Hello, ${name}!`, sum });
        response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
        response.end(body);
    });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
