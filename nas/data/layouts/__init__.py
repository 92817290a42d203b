"""The layouts: ways in which data sets lie on disk, one file each, recognised by looking."""

from nas.data.layouts import cardd_sod, cfd, coco, cvppp, etis, folder, kvasir, voc

# The first that recognises a folder opens it: particular layouts come before general ones.
LAYOUTS = (
    cfd.LAYOUT,
    voc.LAYOUT,
    cvppp.LAYOUT,
    etis.LAYOUT,
    kvasir.LAYOUT,
    coco.LAYOUT,
    coco.BINARY_LAYOUT,
    cardd_sod.LAYOUT,
    folder.LAYOUT,
)
