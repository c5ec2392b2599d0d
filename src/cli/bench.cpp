#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "cli/command.h"
#include "cli/command_line_shared.h"
#include "cli/inputs_shared.h"
#include "cli/json_shared.h"

namespace lanthorn {
namespace {

struct Options {
  std::string model;
  InputOptions inputs;
  int threads = 0, iterations = 0, warmup = 3;
  double seconds = 2;
  std::string precision = "fp32";
  bool profile = false, json = false;
};

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double quantile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(place);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - static_cast<double>(low));
}

/// Runs until `iterations` are done, or, where that is 0, for `seconds`.
Result<std::vector<double>> measure(const Session& session, const std::vector<NamedValue>& inputs, const Options& options) {
  const auto call = [&]() -> Status {
    auto outputs = session.run(std::span<const NamedValue>(inputs));
    if (!outputs) return std::move(outputs).error();
    return ok();
  };
  for (int i = 0; i < options.warmup; ++i) LAN_OK(call());
  std::vector<double> times;
  const auto start = std::chrono::steady_clock::now();
  const auto more = [&] {
    if (options.iterations > 0) return times.size() < static_cast<size_t>(options.iterations);
    return times.size() < 3 || milliseconds_since(start) < options.seconds * 1000;
  };
  while (more()) {
    const auto begin = std::chrono::steady_clock::now();
    LAN_OK(call());
    times.push_back(milliseconds_since(begin));
  }
  return times;
}

void print_profile(const std::vector<ProfileRow>& rows) {
  double total = 0;
  std::map<std::string, std::pair<double, int>> by_kernel;
  for (const ProfileRow& row : rows) {
    total += row.milliseconds;
    auto& [sum, count] = by_kernel[row.op + "  " + row.kernel];
    sum += row.milliseconds;
    ++count;
  }
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [name, sum] : by_kernel) sorted.emplace_back(sum.first, name);
  std::sort(sorted.rbegin(), sorted.rend());
  std::printf("\n%9s %6s %6s  operator, kernel\n", "ms", "share", "count");
  for (const auto& [sum, name] : sorted) {
    std::printf("%9.3f %5.1f%% %6d  %s\n", sum, 100 * sum / total, by_kernel[name].second, name.c_str());
  }
  std::printf("\n%9s  node, operator, kernel, shape\n", "ms");
  for (const ProfileRow& row : rows) {
    std::printf("%9.3f  %s  %s  %s  %s\n", row.milliseconds, row.node.c_str(), row.op.c_str(), row.kernel.c_str(),
                row.shape.c_str());
  }
}

Status bench(const Options& options) {
  LAN_TRY(const LoadOptions load_options, options.inputs.load_options());
  const auto begin = std::chrono::steady_clock::now();
  LAN_TRY(const Model model, load(options.model, load_options));
  SessionOptions session_options;
  session_options.threads = options.threads;
  session_options.precision = options.precision == "bf16" ? Precision::kBF16 : Precision::kF32;
  LAN_TRY(const Session session, model.session(session_options));
  LAN_TRY(const std::vector<NamedValue> inputs, make_inputs(model, options.inputs));
  LAN_OK(session.warm(inputs));
  const double ready = milliseconds_since(begin);
  LAN_TRY(std::vector<double> times, measure(session, inputs, options));
  std::sort(times.begin(), times.end());
  double total = 0;
  for (const double t : times) total += t;
  const double p50 = quantile(times, 0.5), p90 = quantile(times, 0.9), p99 = quantile(times, 0.99);
  const double rate = 1000 * static_cast<double>(times.size()) / total;
  std::vector<ProfileRow> profile;
  if (options.profile) {
    LAN_TRY(profile, session.profile(inputs));
  }
  if (options.json) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    json_member(writer, "model", options.model);
    json_key(writer, "latency_ms");
    writer.StartObject();
    for (const auto& [key, value] : std::initializer_list<std::pair<const char*, double>>{
             {"min", times.front()}, {"p50", p50}, {"p90", p90}, {"p99", p99}, {"max", times.back()},
             {"mean", total / static_cast<double>(times.size())}}) {
      json_key(writer, key);
      writer.Double(value);
    }
    writer.EndObject();
    json_key(writer, "runs_per_second");
    writer.Double(rate);
    json_key(writer, "iterations");
    writer.Uint64(times.size());
    json_key(writer, "ready_ms");
    writer.Double(ready);
    if (options.profile) {
      json_key(writer, "profile");
      writer.StartArray();
      for (const ProfileRow& row : profile) {
        writer.StartObject();
        for (const auto& [key, value] : std::initializer_list<std::pair<const char*, const std::string*>>{
                 {"node", &row.node}, {"op", &row.op}, {"kernel", &row.kernel}, {"shape", &row.shape}}) {
          json_member(writer, key, *value);
        }
        json_key(writer, "ms");
        writer.Double(row.milliseconds);
        writer.EndObject();
      }
      writer.EndArray();
    }
    writer.EndObject();
    print_json(buffer);
    return ok();
  }
  std::printf("%s: %zu runs, ready after %.1f ms\n", options.model.c_str(), times.size(), ready);
  std::printf("latency ms  min %.3f  p50 %.3f  p90 %.3f  p99 %.3f\n", times.front(), p50, p90, p99);
  std::printf("throughput  %.1f runs/s\n", rate);
  if (options.profile) print_profile(profile);
  return ok();
}

int run_command(int argc, char** argv) {
  Options options;
  CLI::App app{"Measures how long a model takes: latency and throughput.", "lanthorn bench"};
  app.add_option("MODEL", options.model, "the model file")->required();
  add_input_options(app, options.inputs);
  app.add_option("--threads", options.threads, "the most threads to use (default: all)")->check(CLI::Range(0, 4096));
  app.add_option("--iterations", options.iterations, "runs that are measured (default: for --seconds)")->check(CLI::PositiveNumber);
  app.add_option("--warmup", options.warmup, "runs before that")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--seconds", options.seconds, "how long to measure where --iterations is not given")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--precision", options.precision, "fp32, or bf16: products and convolutions with weights in bfloat16 (half the memory), sums in float32")->check(CLI::IsMember({"fp32", "bf16"}))->capture_default_str();
  app.add_flag("--profile", options.profile, "say what each operator takes");
  app.add_flag("--json", options.json, "one JSON document on stdout");
  app.footer("Examples:\n"
             "  lanthorn bench resnet18.onnx --threads 1\n"
             "  lanthorn bench model.pt --input-shape x:1,3,224,224 --profile\n"
             "  lanthorn bench model.onnx --inputs in.npz --iterations 100 --json");
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  const Status done = bench(options);
  return done ? 0 : report(done.error());
}

}  // namespace

extern constinit const Command command_bench{"bench", "measures latency and throughput of a model", run_command};

}  // namespace lanthorn
