"""Google Benchmark's figures, as the parts use them."""


def cpu_ns(context, *names):
    """CPU nanoseconds of one turn of each of these benchmarks (of all, where none is named), which take turns, by
    name."""
    wanted = "|".join(f"^{name}$" for name in names) or "."
    result = context.measure(
        "metricsd_bench_micro",
        f"--benchmark_filter={wanted}",
        "--benchmark_format=json",
        "--benchmark_repetitions=5",
        "--benchmark_min_time=0.05",
        "--benchmark_enable_random_interleaving=true",
        "--benchmark_report_aggregates_only=true",
    )
    return {entry["run_name"]: entry["cpu_time"] for entry in result["benchmarks"] if entry["aggregate_name"] == "median"}
