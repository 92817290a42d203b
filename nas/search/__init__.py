"""Search: where genome, cost, network, training and Optuna meet.

Its rooms: `sampling`, where draws come from; `workers`, the processes that train; `storage`, the study's database; `finals`, the second
look at the best; `display`, what a person sees. What lies beside them is the search itself, from `config` over `plan` and `run` to
`coordinator`, `ledger` and `ladder`.
"""

from nas.search.candidate import stored_genome as stored_genome
from nas.search.config import SearchConfig as SearchConfig
from nas.search.display.front import front_table as front_table
from nas.search.display.front import front_text as front_text
from nas.search.display.front import front_trials as front_trials
from nas.search.folder import StudyFolder as StudyFolder
from nas.search.folder import study_folder as study_folder
from nas.search.presets import preset_config as preset_config
from nas.search.run import SearchResult as SearchResult
from nas.search.run import run_search as run_search
from nas.search.study import StoredStudy as StoredStudy
from nas.search.study import opened_study as opened_study
