"""Export: from a trained trial to a model file that stands alone."""

from nas.export.check import checked_source as checked_source
from nas.export.model_file import ModelFacts as ModelFacts
from nas.export.model_file import model_source as model_source
from nas.export.study import export_trials as export_trials
