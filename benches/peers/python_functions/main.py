"""functions-framework for Python."""

import functions_framework
from flask import jsonify


@functions_framework.http
def greet(request):
    body = request.get_json()
    return jsonify({"message": f"Hello, {body['name']}!", "sum": sum(range(body["n"]))})
