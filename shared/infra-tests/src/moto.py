"""Starts moto's server with the one rule of AWS Lambda that moto lacks and that deployments of Portpulse depend on."""

import json

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.policy import Policy
from moto.server import main


class StatementExists(LambdaClientError):
    """AddPermission with the id of a statement that the policy has: moto would add a second statement of that id.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html, ResourceConflictException
    """

    code = 409

    def __init__(self, statement_id: str) -> None:
        super().__init__(
            "ResourceConflictException",
            f"The statement id ({statement_id}) provided already exists. "
            "Please provide a new statement id, or remove the existing statement.",
        )


add_statement = Policy.add_statement


def add_new_statement(self, raw, qualifier=None):
    statement_id = json.loads(raw).get("StatementId")
    if statement_id and any(statement.get("Sid") == statement_id for statement in self.statements):
        raise StatementExists(statement_id)
    return add_statement(self, raw, qualifier)


Policy.add_statement = add_new_statement
main()
