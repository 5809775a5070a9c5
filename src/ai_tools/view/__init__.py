"""Tables, plots, progress and the report: the only modules that draw."""

from .lines import journal_lines, plan_lines, rating_lines
from .plots import Plot, bars, before_after, check_picture, histogram, loss_curve, rating_plot
from .progress import progress_bar, tell, training_progress
from .report import evaluation_report, report
from .tables import METRICS, difference_table, metrics_table, plan_table, table

__all__ = [
    "METRICS",
    "Plot",
    "bars",
    "before_after",
    "check_picture",
    "difference_table",
    "evaluation_report",
    "histogram",
    "journal_lines",
    "loss_curve",
    "metrics_table",
    "plan_lines",
    "plan_table",
    "progress_bar",
    "rating_lines",
    "rating_plot",
    "report",
    "table",
    "tell",
    "training_progress",
]
