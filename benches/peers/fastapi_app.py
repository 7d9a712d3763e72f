"""FastAPI, with the types it checks."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Arguments(BaseModel):
    name: str
    n: int


class Answer(BaseModel):
    message: str
    sum: int


@app.post("/greet")
async def greet(arguments: Arguments) -> Answer:
    return Answer(message=f"Hello, {arguments.name}!", sum=sum(range(arguments.n)))
