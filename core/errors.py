"""Everything that can go wrong in words a user can act on: what was found, what was expected, what to do next."""


class AppError(Exception):
    """Root of all expected errors; its message is shown to the user as it is."""


class InvalidImageError(AppError):
    """The upload is not an image that can be analysed."""


class WrongStainError(InvalidImageError):
    """The image shows another stain than the one that is needed; the user may insist."""


class TooLargeError(AppError):
    """The upload exceeds a size limit."""


class WeightsError(AppError):
    """A weights file is missing, unsafe, damaged or made for another network."""


class ModelUnavailableError(AppError):
    """No usable weights are active for the model that was asked for."""


class InvalidOptionError(AppError):
    """An option of a request is not one of the allowed values."""


class AuthenticationError(AppError):
    """Nobody is signed in, or the name, password or token is wrong."""


class TooManyAttemptsError(AuthenticationError):
    """Too many sign-ins failed; the next one is accepted after `wait_s` seconds."""

    def __init__(self, message: str, *, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class PermissionDeniedError(AppError):
    """The signed-in user may not do this."""


class NotFoundError(AppError):
    """There is no such thing, or it belongs to somebody else."""


class ConflictError(AppError):
    """The thing exists already, or the change contradicts what is stored."""


class StorageError(AppError):
    """The disk or the database refused to save; nothing was lost that had been saved before."""


class RemoteError(AppError):
    """Another workbench that does the inference cannot be reached or answered with an error."""


class CancelledError(AppError):
    """The user cancelled the work."""


class InvalidDataError(AppError):
    """The images to train on cannot be used as they are."""


class TrainingError(AppError):
    """A training ended early; the message says what to change."""
