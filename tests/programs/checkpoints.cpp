// What a training loop in C++ does with checkpoints; tests/test_checkpoint.py calls it and lets PyTorch judge.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include <lanthorn/lanthorn.h>

#include "faults.h"

namespace {

using namespace lanthorn;

int fail(const Error& error) {
  std::fprintf(stderr, "checkpoints: %s\n", error.text().c_str());
  return 1;
}

Tensor filled(Shape shape, float value) {
  Tensor tensor = *Tensor::allocate(DType::kF32, std::move(shape));
  for (float& number : tensor.mutable_as<float>()) number = value;
  return tensor;
}

/// A checkpoint all of whose numbers say which step it is of.
Checkpoint step_of(int64_t step, int64_t width) {
  const auto value = static_cast<float>(step);
  Checkpoint made;
  made.epoch = step;
  const Tensor weight = filled({width, 64}, value);
  (void)made.model.add("weight", weight);
  (void)made.model.add("tied", weight);
  (void)made.model.add("bias", filled({64}, value));
  made.optimizer = *make_optimizer_state(OptimizerKind::kAdam, 2);
  for (int64_t i = 0; i < 2; ++i) {
    OptimizerState::Parameter& parameter = made.optimizer->of(i);
    parameter.set_step(step);
    parameter.set("exp_avg", filled(i == 0 ? Shape{width, 64} : Shape{64}, value));
    parameter.set("exp_avg_sq", filled(i == 0 ? Shape{width, 64} : Shape{64}, value));
  }
  made.loss = 1.0 / static_cast<double>(step + 1);
  made.metrics = {{"accuracy", static_cast<double>(step % 5)}};
  const PlainEntry config[] = {{"width", width}, {"name", std::string("tiny")}};
  made.config = ObjectTree::dict_of(config);
  return made;
}

/// True where a checkpoint is of one step throughout.
bool whole(const Checkpoint& checkpoint) {
  if (!checkpoint.epoch || !checkpoint.optimizer) return false;
  const auto value = static_cast<float>(*checkpoint.epoch);
  const auto all = [value](const Tensor& tensor) {
    for (const float number : tensor.contiguous()->as<float>()) {
      if (number != value) return false;
    }
    return true;
  };
  for (const NamedTensor& entry : checkpoint.model.entries()) {
    if (!all(entry.tensor)) return false;
  }
  for (const auto& parameter : checkpoint.optimizer->parameters) {
    for (const NamedTensor& entry : parameter.tensors) {
      if (!all(entry.tensor)) return false;
    }
  }
  return checkpoint.model.size() == 3;
}

/// Saves one checkpoint after another until it is killed.
int loop(const std::string& folder, bool in_background) {
  auto store = CheckpointStore::open(folder, {.keep_last = 2, .metric = "accuracy", .higher_is_better = true});
  if (!store) return fail(store.error());
  auto last = store->resume();
  if (!last) return fail(last.error());
  if (*last && !whole(**last)) return fail(Error{ErrorCode::kCorrupt, "the last checkpoint is torn", "", ""});
  const int64_t first = *last ? *(*last)->epoch + 1 : 0;
  std::printf("resumed %lld, passed over %zu\n", static_cast<long long>(first), store->skipped().size());
  std::fflush(stdout);
  for (int64_t step = first;; ++step) {
    const Checkpoint checkpoint = step_of(step, 512);
    const Status done = in_background ? store->save_async(checkpoint) : [&]() -> Status {
      LAN_TRY(const auto path, store->save(checkpoint));
      return ok();
    }();
    if (!done) return fail(done.error());
    std::printf("%s %lld\n", in_background ? "began" : "saved", static_cast<long long>(step));
    std::fflush(stdout);
  }
}

/// Starts to save in the background, and overwrites the numbers at once.
int overwrite(const std::string& folder) {
  auto store = CheckpointStore::open(folder);
  if (!store) return fail(store.error());
  std::vector<float> numbers(1 << 20, 1.0F);
  const auto bytes = std::as_bytes(std::span<const float>(numbers));
  Checkpoint checkpoint;
  auto weight = Tensor::wrap(DType::kF32, {1 << 20}, bytes, nullptr);
  if (!weight || !checkpoint.model.add("weight", *weight)) return 1;
  for (int step = 0; step < 3; ++step) {
    checkpoint.epoch = step;
    if (const Status done = store->save_async(checkpoint); !done) return fail(done.error());
    std::fill(numbers.begin(), numbers.end(), static_cast<float>(step + 2));
  }
  const Status done = store->wait();
  return done ? 0 : fail(done.error());
}

/// Reads a checkpoint into the structure and writes it again.
int rewrite(const std::string& from, const std::string& to) {
  const auto checkpoint = load_checkpoint(from);
  if (!checkpoint) return fail(checkpoint.error());
  const auto saved = save_checkpoint(*checkpoint, to);
  if (!saved) return fail(saved.error());
  const int kind = checkpoint->optimizer ? static_cast<int>(checkpoint->optimizer->kind()) : -1;
  const int64_t step = checkpoint->optimizer && !checkpoint->optimizer->parameters.empty() ? checkpoint->optimizer->parameters[0].step() : 0;
  std::printf("tensors %zu kind %d step %lld rest %d\n", checkpoint->model.size(), kind, static_cast<long long>(step), !checkpoint->rest.empty());
  return 0;
}

/// A checkpoint of a model {"w": [3], "b": [1]} with the optimizer as new.
int fresh(const std::string& name, const std::string& to) {
  constexpr const char* kNames[] = {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad"};
  for (int i = 0; i < 5; ++i) {
    if (name != kNames[i]) continue;
    const std::vector<PlainEntry> options = {{"lr", 0.05}};
    Checkpoint made;
    (void)made.model.add("w", filled({3}, 0.5F));
    (void)made.model.add("b", filled({1}, -0.25F));
    auto state = make_optimizer_state(static_cast<OptimizerKind>(i), 2, options);
    if (!state) return fail(state.error());
    if (name == "Adagrad") {  // torch.optim.Adagrad has its sums from the start
      for (const int64_t number : {0, 1}) {
        state->of(number).set_step(0);
        state->of(number).set("sum", filled({number == 0 ? 3 : 1}, 0));
      }
    }
    made.optimizer = *std::move(state);
    const auto saved = save_checkpoint(made, to);
    return saved ? 0 : fail(saved.error());
  }
  return 2;
}

int load_into(const std::string& model_file, const std::string& saved_file, const std::string& mode) {
  const auto model = load_state_dict(model_file);
  const auto saved = load_state_dict(saved_file);
  if (!model || !saved) return 2;
  const LoadMode chosen = mode == "strict" ? LoadMode::kStrict : mode == "keys" ? LoadMode::kIgnoreKeys : LoadMode::kPartial;
  const auto loaded = load_state_dict(*model, *saved, chosen, "Net");
  if (!loaded) return std::printf("%s", loaded.error().message.c_str()), 1;
  std::printf("%s", loaded->report.text("Net").c_str());
  return 0;
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Lets the n-th call of a kind fail, for every n that a save makes; the old file must stay, and the error be clear.
int every_fault(const std::filesystem::path& folder) {
  constexpr const char* kNames[] = {"memory", "write", "sync", "rename", "link"};
  constexpr int64_t kMost = 200'000;
  for (int kind = 0; kind < faults::kKinds; ++kind) {
    const auto place = folder / kNames[kind];
    auto store = CheckpointStore::open(place, {.keep_last = 2});
    if (!store) return fail(store.error());
    const auto first = store->save(step_of(1, 4));
    if (!first) return fail(first.error());
    const std::string before = file_text(*first);
    const Checkpoint second = step_of(2, 4);
    faults::sync_is_free = true;
    int64_t failed = 0;
    int64_t living = -1;
    for (int64_t n = 1; n < kMost; ++n) {
      // A file that is in its place is known from then on; what else lives after a failure has leaked.
      const auto known = static_cast<int64_t>(store->checkpoints().size());
      const int64_t now = faults::living - known;
      if (n == 2) living = now;  // what is made on first use is there by then
      if (n > 2 && now > living) return std::printf("%s %lld: %lld blocks leaked\n", kNames[kind], static_cast<long long>(n - 1), static_cast<long long>(now - living)), 1;
      faults::countdown[kind] = n;
      const auto saved = store->save(second);
      const bool met = faults::countdown[kind] <= 0;
      faults::countdown[kind] = 0;
      if (file_text(*first) != before) return std::printf("%s %lld: the old file changed\n", kNames[kind], static_cast<long long>(n)), 1;
      if (!saved) {
        ++failed;
        const Error& error = saved.error();
        const bool clear = error.code == (kind == faults::kMemory ? ErrorCode::kOutOfMemory : ErrorCode::kSystem) && !error.message.empty() && !error.where.empty();
        if (!clear) return std::printf("%s %lld: the error is %s (%s)\n", kNames[kind], static_cast<long long>(n), error.text().c_str(), std::string(error_code_name(error.code)).c_str()), 1;
        if (!std::filesystem::is_empty(place / ".incoming")) return std::printf("%s %lld: something is left over\n", kNames[kind], static_cast<long long>(n)), 1;
      }
      if (!met) break;
    }
    faults::sync_is_free = false;
    const auto saved = store->save(second);
    if (!saved) return fail(saved.error());
    const auto last = store->resume();
    if (!last || !*last || !whole(**last) || *(*last)->epoch != 2) return std::printf("%s: the last save is not whole\n", kNames[kind]), 1;
    std::printf("%s %lld\n", kNames[kind], static_cast<long long>(failed));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 2 ? argv[1] : "";
  if (command == "loop") return loop(argv[2], argc > 3);
  if (command == "overwrite") return overwrite(argv[2]);
  if (command == "rewrite" && argc > 3) return rewrite(argv[2], argv[3]);
  if (command == "fresh" && argc > 3) return fresh(argv[2], argv[3]);
  if (command == "load" && argc > 4) return load_into(argv[2], argv[3], argv[4]);
  if (command == "faults") return every_fault(argv[2]);
  std::fprintf(stderr, "usage: checkpoints loop|overwrite|rewrite|fresh|load|faults ...\n");
  return 2;
}
