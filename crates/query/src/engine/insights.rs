//! The computations behind one insights answer: automatic ranges first, then the numbers, then those of the segments
//! beyond the limit, and both again for what is compared to.

mod edges;

use crate::QueryError;
use crate::answer::Computed;
use crate::answer::insights::{Part, Parts, segments};
use crate::asking::Asking;
use crate::calendar::{range_before, range_shifted};
use crate::operators::cells::segment_text;
use crate::plan::{self, Source};
use crate::windows::Timeline;
use edges::with_edges;
use model::expression::BinaryOp;
use model::report::{Compare, DateRange, Insights, InsightsCell, Question, Report, ReportCell, Segment};
use model::{Expression, Value};
use roaring::RoaringTreemap;
use std::sync::Arc;

pub(super) async fn compute(
    asking: &Asking,
    source: &Source,
    report: &Report,
    insights: &Insights,
) -> Result<Parts, QueryError> {
    let (insights, outermost) = with_edges(asking, source, report, insights).await?;
    let asked = Asked {
        asking,
        source,
        insights: &insights,
    };
    let report = Report {
        question: Question::Insights(insights.clone()),
        ..report.clone()
    };
    let computed = asking.compute(source, &report, report.range, None).await?;
    let timeline = Timeline::new(&insights, report.range, &source.zone().rules)?;
    let (shown, segments_total) = segments(&insights, &timeline, &computed.cells);
    let rest_of = (insights.other && segments_total > shown.len()).then_some(shown.as_slice());
    let main = asked.part(&report, report.range, computed, timeline, rest_of).await?;
    let compared = match compared(&report, &insights)? {
        None => None,
        Some((report, range)) => {
            let computed = asking.compute(source, &report, range, None).await?;
            let timeline = Timeline::new(&insights, range, &source.zone().rules)?;
            Some(asked.part(&report, range, computed, timeline, rest_of).await?)
        }
    };
    Ok(Parts {
        insights: insights.clone(),
        outermost,
        main,
        compared,
        shown,
        segments_total,
    })
}

/// The persons behind one number.
pub(crate) async fn members(
    asking: &Asking,
    source: &Source,
    report: &Report,
    insights: &Insights,
    cell: &InsightsCell,
) -> Result<RoaringTreemap, QueryError> {
    let (insights, _) = with_edges(asking, source, report, insights).await?;
    let report = Report {
        question: Question::Insights(insights.clone()),
        ..report.clone()
    };
    let rest_of = if cell.other {
        match segments_with_rest(asking, source, &report, &insights).await? {
            None => return Ok(RoaringTreemap::new()),
            shown => shown,
        }
    } else {
        None
    };
    let (report, range) = match compared(&report, &insights)? {
        Some(compared) if cell.previous => compared,
        _ => (report.clone(), report.range),
    };
    let wanted = ReportCell::Insights(cell.clone());
    let mut cells = match rest_of {
        None => asking.compute(source, &report, range, Some(&wanted)).await?.cells,
        Some(shown) => {
            let shown = Arc::new(shown.iter().map(segment_text).collect());
            let planned = plan::plan_rest(source, &report, &insights, range, shown, Some(&wanted))?;
            asking.run_plan(planned).await?.cells
        }
    };
    Ok(cells.take_members(&plan::wanted(&wanted)))
}

/// The segments that the answer shows, if there are more.
async fn segments_with_rest(
    asking: &Asking,
    source: &Source,
    report: &Report,
    insights: &Insights,
) -> Result<Option<Vec<Segment>>, QueryError> {
    let computed = asking.compute(source, report, report.range, None).await?;
    let timeline = Timeline::new(insights, report.range, &source.zone().rules)?;
    let (shown, total) = segments(insights, &timeline, &computed.cells);
    Ok((total > shown.len()).then_some(shown))
}

struct Asked<'a> {
    asking: &'a Asking,
    source: &'a Source,
    insights: &'a Insights,
}

impl Asked<'_> {
    /// Numbers with those of all segments but `rest_of`.
    async fn part(
        &self,
        report: &Report,
        range: DateRange,
        computed: Computed,
        timeline: Timeline,
        rest_of: Option<&[Segment]>,
    ) -> Result<Part, QueryError> {
        let rest = match rest_of {
            None => None,
            Some(shown) => {
                let shown = Arc::new(shown.iter().map(segment_text).collect());
                let planned = plan::plan_rest(self.source, report, self.insights, range, shown, None)?;
                Some(self.asking.run_plan(planned).await?.cells)
            }
        };
        Ok(Part {
            timeline,
            cells: computed.cells,
            rest,
        })
    }
}

/// The question that the answer is compared to, and its range.
fn compared(report: &Report, insights: &Insights) -> Result<Option<(Report, DateRange)>, QueryError> {
    if insights.compare_previous {
        return Ok(Some((report.clone(), range_before(report.range)?)));
    }
    Ok(match &insights.compare {
        None => None,
        Some(Compare::Shift { count, unit }) => Some((report.clone(), range_shifted(report.range, *count, *unit)?)),
        Some(Compare::Where { filter }) => {
            let both = match &report.filter {
                None => filter.clone(),
                Some(own) => kept_by(own).and(kept_by(filter)),
            };
            let report = Report {
                filter: Some(both),
                ..report.clone()
            };
            let range = report.range;
            Some((report, range))
        }
    })
}

/// True where a filter keeps an event, else false: `and` refuses what is no boolean, a filter just does not keep it.
fn kept_by(filter: &Expression) -> Expression {
    Expression::Binary {
        op: BinaryOp::Equal,
        left: Box::new(filter.clone()),
        right: Box::new(Expression::Literal(Value::Bool(true))),
    }
}
