//! Line charts as SVG, by hand: no script, no network. Comes in: series of points. Goes out: an element whose colours
//! are the page's (classes `s0` to `s3`).

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The drawing's size, in its own units; the page scales it.
const SIZE: (f64, f64) = (480.0, 200.0);
/// Room for labels: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (56.0, 10.0, 12.0, 24.0);
/// Points of a line that are drawn; of longer series only the lowest and the highest of each run of neighbours are, and
/// that there was a gap.
const POINTS_MAX: usize = 600;
/// What is drawn of a run.
const POINTS_PER_RUN: usize = 3;
/// About so many lines across.
const TICKS: f64 = 4.0;

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// x ascending; a gap where there is no y.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// Draws the series over x; `marks` are the labels of x, where it is no time in seconds.
pub(super) fn chart(title: &str, unit: &str, series: &[Series], marks: &[(f64, String)]) -> String {
    let all = || series.iter().flat_map(|series| series.points.iter());
    let highest = all().filter_map(|&(_, y)| y).filter(|y| y.is_finite()).fold(0.0, f64::max);
    let right = all().map(|&(x, _)| x).fold(0.0, f64::max);
    let left = all().map(|&(x, _)| x).fold(right, f64::min);
    let step = nice(highest / TICKS);
    let top = (highest / step).ceil().max(1.0) * step;
    let (width, height) = (SIZE.0 - MARGIN.0 - MARGIN.2, SIZE.1 - MARGIN.1 - MARGIN.3);
    let at_x = |x: f64| MARGIN.0 + width * (x - left) / (right - left).max(1e-9);
    let at_y = |y: f64| MARGIN.1 + height * (1.0 - y / top);

    let title = escape(title);
    let mut svg =
        format!("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{title}\">", SIZE.0, SIZE.1);
    let mut put = |text: String| svg.push_str(&text);
    for n in 0..=(top / step).round() as u32 {
        let value = f64::from(n) * step;
        let y = at_y(value);
        put(format!(
            "<path class=\"grid\" d=\"M{} {y:.1}H{}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            MARGIN.0,
            SIZE.0 - MARGIN.2,
            MARGIN.0 - 6.0,
            y + 4.0,
            label(value, unit)
        ));
    }
    let usual: Vec<(f64, String)>;
    let marks = if marks.is_empty() {
        let step = nice((right - left) / 6.0).max(1.0);
        let first = (left / step).ceil() as u32;
        usual = (first..=(right / step) as u32)
            .map(|n| (f64::from(n) * step, format!("{} s", f64::from(n) * step)))
            .collect();
        &usual
    } else {
        marks
    };
    for (x, text) in marks {
        put(format!(
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            at_x(*x).clamp(MARGIN.0, SIZE.0 - 18.0),
            SIZE.1 - 6.0,
            escape(text)
        ));
    }
    for (n, series) in series.iter().enumerate() {
        let mut path = String::new();
        let mut broken = true;
        for (x, y) in thinned(&series.points) {
            match y.filter(|y| y.is_finite()) {
                Some(y) => {
                    let verb = if broken { 'M' } else { 'L' };
                    write!(path, "{verb}{:.1} {:.1}", at_x(x), at_y(y)).expect("a string has room");
                    broken = false;
                }
                None => broken = true,
            }
        }
        if !path.is_empty() {
            put(format!("<path class=\"line s{n}\" d=\"{path}\"/>"));
        }
    }
    svg.push_str("</svg>");
    let legend: String = series
        .iter()
        .enumerate()
        .map(|(n, series)| format!("<span class=\"s{n}\">{}</span>", escape(&series.name)))
        .collect();
    format!("<figure><figcaption><b>{title}</b> {legend}</figcaption>{svg}</figure>")
}

/// At most [`POINTS_MAX`] points, with every peak, every dip and a gap wherever there is one.
fn thinned(points: &[(f64, Option<f64>)]) -> Vec<(f64, Option<f64>)> {
    if points.len() <= POINTS_MAX {
        return points.to_vec();
    }
    let run = points.len().div_ceil(POINTS_MAX / POINTS_PER_RUN);
    let drawn = points.chunks(run).flat_map(|run| {
        let known = || {
            let height = |&(_, y): &(f64, Option<f64>)| y.filter(|y| y.is_finite());
            run.iter().enumerate().filter_map(move |(n, point)| Some((n, height(point)?)))
        };
        let lowest = known().min_by(|a, b| a.1.total_cmp(&b.1));
        let highest = known().max_by(|a, b| a.1.total_cmp(&b.1));
        let gap = run.iter().position(|(_, y)| y.is_none());
        // In the order in which they came, each once.
        let kept = [lowest.map(|low| low.0), highest.map(|high| high.0), gap];
        let kept: BTreeSet<_> = kept.into_iter().flatten().collect();
        kept.into_iter().map(|n| run[n])
    });
    drawn.collect()
}

/// The next of 1, 2 and 5 times a power of ten; 1 for nothing.
fn nice(least: f64) -> f64 {
    if !least.is_finite() || least <= 0.0 {
        return 1.0;
    }
    let mut power = 1e-6;
    loop {
        for step in [1.0, 2.0, 5.0].map(|digit| digit * power) {
            if step >= least * 0.999 {
                return step;
            }
        }
        power *= 10.0;
    }
}

fn label(value: f64, unit: &str) -> String {
    let number = match value {
        v if v >= 1e6 => format!("{}M", round(v / 1e6)),
        v if v >= 1e4 => format!("{}k", round(v / 1e3)),
        v => round(v),
    };
    format!("{number} {}", escape(unit)).trim_end().to_owned()
}

fn round(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Text as HTML, also within quotes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_its_points_and_stops_at_gaps() {
        let points = vec![
            (0.0, Some(0.0)),
            (1.0, Some(10.0)),
            (2.0, None),
            (3.0, Some(5.0)),
            (4.0, Some(10.0)),
        ];
        let svg = chart("a < b", "ms", &[Series { name: "p\"99".into(), points }], &[]);
        let path = svg.split("class=\"line s0\" d=\"").nth(1).unwrap().split('"').next().unwrap();
        // From the lower left corner, a gap, and on to the upper right one.
        assert_eq!(path, "M56.0 176.0L159.0 10.0M365.0 93.0L468.0 10.0", "{svg}");
        assert!(
            svg.contains("a &lt; b") && svg.contains("p&quot;99") && svg.contains(">10 ms<"),
            "{svg}"
        );
    }

    #[test]
    fn nothing_and_much_are_drawn_as_well() {
        let none = chart("none", "", &[], &[]);
        assert!(none.contains("<svg") && !none.contains("NaN") && !none.contains("inf"), "{none}");
        let wild = [(0.0, Some(f64::INFINITY)), (0.0, Some(f64::NAN))].to_vec();
        let wild = chart("wild", "", &[Series { name: "x".into(), points: wild }], &[]);
        assert!(!wild.contains("NaN") && !wild.contains("inf"), "{wild}");
    }

    /// A server that lets everybody go for a moment, or says nothing, is not to look well because the test was long.
    #[test]
    fn a_long_line_keeps_its_peaks_dips_and_gaps() {
        let height = |x| match x {
            5_003 => Some(9.0),
            7_001 => Some(0.0),
            8_002 => None,
            _ => Some(1.0),
        };
        let long: Vec<_> = (0..10_000).map(|x| (f64::from(x), height(x))).collect();
        let drawn = thinned(&long);
        assert!(drawn.len() <= POINTS_MAX && drawn.is_sorted_by(|a, b| a.0 < b.0));
        for kept in [5_003, 7_001, 8_002] {
            assert!(drawn.contains(&(f64::from(kept), height(kept))), "{kept}");
        }
        assert_eq!(thinned(&long[..POINTS_MAX]), long[..POINTS_MAX]);
    }

    #[test]
    fn steps_are_round_numbers() {
        assert_eq!(
            [0.0, 0.03, 1.2, 4.9, 21.0, 260.0].map(nice),
            [1.0, 0.05, 2.0, 5.0, 50.0, 500.0]
        );
    }
}
