"""Images and masks: data sets on disk and built in, their check, the choice of a size, and the bank that training reads."""

from nas.data.bank import Bank, bank_bytes, build_bank, open_bank
from nas.data.cache import trim, using, views_that_fit
from nas.data.check import DataReport, check_data, check_items, look_at
from nas.data.dataset import VOID, DataSet, FileDataSet, Item
from nas.data.facts import ClassFacts, DataFacts
from nas.data.folds import fold_sets
from nas.data.images import BadFileError
from nas.data.layout import Layout
from nas.data.layouts import LAYOUTS
from nas.data.open import check_names, open_data
from nas.data.place import keep_out
from nas.data.recipe import ViewRecipe, load_recipe
from nas.data.recorded import gone_images, is_record_of, item_names, with_recorded_split
from nas.data.resize import fit_image, fitted_size, pad_image, resize_image, resize_mask
from nas.data.similarity import NEAR_COPY, distance, image_hash
from nas.data.size import SizeChoice, native_size, recommend_size, reduced, round_size, train_size_for
from nas.data.split import fold_split, stratified_split
from nas.data.stratify import foreground_shares, stratify
from nas.data.synthetic import SYNTHETIC_VERSION, open_synthetic
from nas.data.transforms import training_transform
from nas.data.views import check_recipe

__all__ = [
    "LAYOUTS",
    "NEAR_COPY",
    "SYNTHETIC_VERSION",
    "VOID",
    "BadFileError",
    "Bank",
    "ClassFacts",
    "DataFacts",
    "DataReport",
    "DataSet",
    "FileDataSet",
    "Item",
    "Layout",
    "SizeChoice",
    "ViewRecipe",
    "bank_bytes",
    "build_bank",
    "check_data",
    "check_items",
    "check_names",
    "check_recipe",
    "distance",
    "fit_image",
    "fitted_size",
    "fold_sets",
    "fold_split",
    "foreground_shares",
    "gone_images",
    "image_hash",
    "is_record_of",
    "item_names",
    "keep_out",
    "load_recipe",
    "look_at",
    "native_size",
    "open_bank",
    "open_data",
    "open_synthetic",
    "pad_image",
    "recommend_size",
    "reduced",
    "resize_image",
    "resize_mask",
    "round_size",
    "stratified_split",
    "stratify",
    "train_size_for",
    "training_transform",
    "trim",
    "using",
    "views_that_fit",
    "with_recorded_split",
]
