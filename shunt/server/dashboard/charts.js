// The past: requests, tokens and their worth over time, how full the windows were, and sums by a choice of keys.

import { useEffect, useRef, useState } from "./preact-hooks.js";
import { get } from "./api.js";
import { Choice, html, Section, Table, useStore } from "./pieces.js";
import { now } from "./store.js";
import { count, dollars, percent } from "./words.js";

const SPANS = { "1h": 3600, "24h": 86400, "7d": 7 * 86400, "30d": 30 * 86400, "90d": 90 * 86400 };
const EVERY = 30_000;
const MOST = 50;
const KEYS = [["account", "account"], ["model", "model"], ["client", "client"], ["conversation", "conversation"], ["day", "day"]];

export function History() {
  const { status } = useStore();
  const [span, setSpan] = useState("24h");
  const [by, setBy] = useState("account");
  const [past, setPast] = useState(null);
  const [trouble, complain] = useState("");
  useEffect(() => {
    let wanted = true;
    const look = async () => {
      try {
        const found = await fetchPast(span, by);
        if (wanted) setPast(found);
        complain("");
      } catch (error) {
        complain(error.message);
      }
    };
    look();
    const timer = setInterval(() => document.hidden || look(), EVERY);
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [span, by, status.recent_requests.length > 0]);

  const tools = html`
    <${Choice} label="Time" value=${span} options=${Object.keys(SPANS).map((key) => [key, key])} onChoose=${setSpan} />
    <${Choice} label="Sums by" value=${by} options=${KEYS} onChoose=${setBy} />
  `;
  return html`
    <${Section} id="history" title="History" tools=${tools}>
      ${trouble && html`<p class="note">${trouble}</p>`}
      ${past && html`<${Charts} past=${past} />`}
      ${past?.sums.groups.length > 0 &&
      html`<${Table} label=${`Sums by ${past.by}`} columns=${sums(past.by)} rows=${largest(past)} name=${(row) => (row.whole ? "whole" : row.key[past.by])} />`}
    <//>
  `;
}

async function fetchPast(span, by) {
  const unit = SPANS[span] > 8 * 86400 ? "day" : "hour";
  const since = Math.floor(now() / 1000 - SPANS[span]);
  const [times, sums, windows] = await Promise.all([
    get(`/history?by=${unit}&since=${since}`),
    get(`/history?by=${by}&since=${since}`),
    get(`/history/windows?window=5h&since=${since}`),
  ]);
  return { span, by, unit, since, times, sums, windows };
}

/** The groups that matter most, and the sum of all of them. */
function largest(past) {
  const groups = past.sums.groups;
  const shown = past.by === "day" ? groups : groups.toSorted((a, b) => b.requests - a.requests).slice(0, MOST);
  return [...shown, { ...past.sums.total, whole: true }];
}

function sums(by) {
  return [
    [by[0].toUpperCase() + by.slice(1), (row) => html`<b>${row.whole ? "all" : row.key[by] || "–"}</b>`],
    ["Requests", (row) => count(row.requests), "num"],
    ["Errors", (row) => count(row.errors), "num"],
    ["In", (row) => count(row.input_tokens), "num"],
    ["Cached", (row) => count(row.cache_read_tokens), "num"],
    ["Out", (row) => count(row.output_tokens), "num"],
    ["From cache", (row) => percent(row.cache_read_share), "num"],
    ["Read again", (row) => count(row.rebilled_tokens), "num"],
    ["API price", (row) => dollars(row.cost_usd), "num"],
  ];
}

function Charts({ past }) {
  const theme = useTheme();
  const times = filled(past);
  const pick = (key) => times.groups.map((group) => group?.[key] ?? 0);
  const bar = (value) => times.groups.map((group) => (group && value(group)) || null); // no line for nothing
  const total = past.times.total ?? {};
  const lines = windowLines(past.windows.samples ?? []);
  return html`
    <div class="charts">
      <${Chart}
        title="Requests"
        summary=${`${count(total.requests)} requests, ${count(total.errors)} errors`}
        data=${[times.at, bar((group) => group.requests - group.errors), bar((group) => group.errors)]}
        series=${[["served", theme.good], ["errors", theme.bad]]}
        bars=${true}
        theme=${theme}
      />
      <${Chart}
        title="Tokens"
        summary=${`${count(total.input_tokens)} in, ${count(total.cache_read_tokens)} from cache, ${count(total.output_tokens)} out`}
        data=${[times.at, pick("input_tokens"), pick("cache_read_tokens"), pick("output_tokens")]}
        series=${[["in", theme.lines[0]], ["cached", theme.lines[1]], ["out", theme.lines[2]]]}
        theme=${theme}
      />
      <${Chart}
        title="At API prices"
        summary=${dollars(total.cost_usd)}
        data=${[times.at, bar((group) => group.cost_usd)]}
        series=${[["price", theme.lines[0]]]}
        format=${dollars}
        bars=${true}
        theme=${theme}
      />
      ${lines.names.length > 0 &&
      html`
        <${Chart}
          title="5-hour windows"
          summary=${`share used of ${lines.names.join(", ")}`}
          data=${lines.data}
          series=${lines.names.map((name, index) => [name, theme.lines[index % theme.lines.length]])}
          format=${percent}
          range=${[0, 1]}
          theme=${theme}
        />
      `}
    </div>
  `;
}

/** One entry per hour or day of the whole time, also for those in which nothing happened. */
function filled(past) {
  const step = past.unit === "day" ? 86400 : 3600;
  const found = new Map(past.times.groups.map((group) => [moment(group.key[past.unit]), group]));
  const at = [];
  for (let time = Math.floor(past.since / step) * step; time <= now() / 1000; time += step) at.push(time);
  return { at, groups: at.map((time) => found.get(time)) };
}

function moment(key) {
  return Date.parse(key.length > 10 ? `${key}:00:00Z` : `${key}T00:00:00Z`) / 1000;
}

/** Samples of several accounts on one axis of time. */
function windowLines(samples) {
  const names = [...new Set(samples.map((sample) => sample.account))].sort();
  const at = [...new Set(samples.map((sample) => sample.at))].sort((a, b) => a - b);
  const place = new Map(at.map((time, index) => [time, index]));
  const lines = names.map(() => new Array(at.length).fill(null));
  for (const sample of samples) lines[names.indexOf(sample.account)][place.get(sample.at)] = sample.used;
  return { names, data: [at, ...lines] };
}

function Chart({ title, summary, data, series, format = count, bars = false, range, theme }) {
  const place = useRef(null);
  const chart = useRef(null);
  const shape = JSON.stringify([series, theme]);
  useEffect(() => {
    const width = () => Math.max(200, place.current.clientWidth);
    chart.current = new globalThis.uPlot(options(series, format, bars, range, theme, width()), data, place.current);
    const observer = new ResizeObserver(() => chart.current.setSize({ width: width(), height: HEIGHT }));
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      chart.current.destroy();
      chart.current = null;
    };
  }, [shape]);
  useEffect(() => chart.current?.setData(data), [data]);
  return html`
    <figure>
      <figcaption><b>${title}</b> <span class="small">${summary}</span></figcaption>
      <div ref=${place} role="img" aria-label=${`${title} over time: ${summary}`}></div>
    </figure>
  `;
}

const HEIGHT = 180;

function options(series, format, bars, range, theme, width) {
  const axis = { stroke: theme.text, grid: { stroke: theme.line, width: 1 }, ticks: { stroke: theme.line }, font: "12px system-ui" };
  const paths = bars ? globalThis.uPlot.paths.bars({ size: [0.7, 40] }) : undefined;
  return {
    width,
    height: HEIGHT,
    series: [
      { value: (_, time) => (time == null ? "" : new Date(time * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })) },
      ...series.map(([label, colour]) => ({
        label,
        stroke: colour,
        fill: bars ? `${colour}99` : undefined,
        width: bars ? 1 : 2,
        paths,
        spanGaps: true,
        points: { show: bars ? false : undefined, size: 4 },
        value: (_, value) => (value == null ? "–" : format(value)),
      })),
    ],
    axes: [axis, { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => format(tick)) }],
    scales: { y: { range: range ?? ((_, low, high) => [0, high > 0 ? high * 1.1 : 1]) } },
    cursor: { y: false },
    legend: { live: true },
  };
}

function useTheme() {
  const [theme, set] = useState(colours);
  useEffect(() => {
    const media = matchMedia("(prefers-color-scheme: dark)");
    const look = () => set(colours());
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, []);
  return theme;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    text: colour("--soft"),
    line: colour("--line"),
    good: colour("--good"),
    bad: colour("--bad"),
    lines: ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"].map(colour),
  };
}
