"""The questions, in every engine's language, and the form in which answers are compared.

The SQL says exactly what crates/model/src/report/*.rs say, for rows whose persons are canonical already. Days and weeks
are those of UTC, and the window of the rows is the range of every report, unless a question names a shorter one.
"""

from .flows import flow
from .funnels import funnel, funnel_by_country
from .question import Question
from .retentions import retention
from .series import (
    article_filter,
    latency_by_day,
    latency_by_model,
    totals_by_browser,
    uniques_by_day,
    uniques_of_cohort,
    url_filter,
)

__all__ = ["QUESTIONS", "Question"]

QUESTIONS = [
    uniques_by_day(),
    totals_by_browser(),
    url_filter(),
    article_filter(),
    funnel(),
    funnel_by_country(),
    retention("weekly retention after signing up", {"event": "Signed Up"}, "event = 'Signed Up'"),
    retention("weekly retention of everybody", {}, "true"),
    flow(),
    latency_by_day(),
    latency_by_model(),
    uniques_of_cohort(),
]
