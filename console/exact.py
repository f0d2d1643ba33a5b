"""Bodies of requests whose numbers must not change; FastAPI itself reads them through doubles."""

from typing import TypeVar

from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused

_Model = TypeVar("_Model", bound=BaseModel)


async def exact(request: Request, model: type[_Model]) -> _Model:
    """Return the body of a request as a model; 422 for one that does not fit, or has a number that cannot be kept."""
    try:
        return model.model_validate(jsontext.loads(await request.body()))
    except Refused as error:
        raise HTTPException(422, str(error)) from None
    except ValidationError as error:
        said = error.errors(include_url=False, include_context=False, include_input=False)
        raise HTTPException(422, "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in said)) from None
