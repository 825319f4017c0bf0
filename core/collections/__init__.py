"""Named collections of kept synthetic images: one user's own, on the disk, marked as synthetic wherever they go."""

from core.collections.changes import add_images, create, delete, remove_images, rename
from core.collections.exports import Packed, copy_images, export_dataset, export_zip, pack
from core.collections.stored import (
    Added,
    Collection,
    KeptImage,
    StoredImage,
    get,
    list_collections,
    picture,
    read_image,
)

__all__ = [
    "Added",
    "Collection",
    "KeptImage",
    "Packed",
    "StoredImage",
    "add_images",
    "copy_images",
    "create",
    "delete",
    "export_dataset",
    "export_zip",
    "get",
    "list_collections",
    "pack",
    "picture",
    "read_image",
    "remove_images",
    "rename",
]
