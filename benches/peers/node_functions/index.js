// functions-framework for Node.
const functions = require("@google-cloud/functions-framework");

functions.http("greet", (request, response) => {
    const { name, n } = request.body;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += i;
    response.json({ message: `Hello, ${name}!`, sum });
});
