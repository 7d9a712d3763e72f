// An isolate of workerd.
export default {
    async fetch(request) {
        const { name, n } = await request.json();
        let sum = 0;
        for (let i = 0; i < n; i++) sum += i;
        return Response.json({ message: `Hello, ${name}!`, sum });
    },
};
