// Saves tensors in each format while the n-th allocation, write, sync or rename fails; tests/test_write.py calls it.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <lanthorn/lanthorn.h>

#include "faults.h"

namespace {

using namespace lanthorn;

Tensor filled(Shape shape, float value) {
  Tensor tensor = *Tensor::allocate(DType::kF32, std::move(shape));
  for (float& number : tensor.mutable_as<float>()) number = value;
  return tensor;
}

StateDict state_of(float value, bool one) {
  StateDict state;
  const Tensor weight = filled({8, 64}, value);
  (void)state.add("weight", weight);
  if (one) return state;
  (void)state.add("tied", weight);
  (void)state.add("bias", filled({64}, value));
  (void)state.add("head", filled({4, 64}, value));
  return state;
}

ObjectTree tree_of(float value) {
  ObjectTree tree;
  tree.root = tree.add_dict();
  const ObjectId weight = tree.add_tensor(filled({8, 64}, value)), epoch = tree.add(PlainValue(int64_t{3}));
  const ObjectId name = tree.add(PlainValue(std::string("a text"))), list = tree.add_list({weight, epoch, name});
  tree.set(tree.root, "weight", weight);
  tree.set(tree.root, "list", list);
  return tree;
}

using Files = std::map<std::string, std::string>;

/// Everything in the folder, hidden files too.
Files files_in(const std::filesystem::path& folder) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    files[entry.path().filename().string()] = {std::istreambuf_iterator<char>(file), {}};
  }
  return files;
}

class Case {
 public:
  Case(const std::string& form, const std::filesystem::path& folder) : tree_(form == "tree"), one_(form == "npy") {
    const bool shards = form.ends_with("-shards");
    options_.format = tree_ ? "torch" : shards ? form.substr(0, form.size() - 7) : form;
    options_.max_shard_bytes = shards ? 1100 : 0;
    path_ = folder / ("m." + std::string(options_.format == "safetensors" ? "safetensors" : "bin"));
  }
  Result<SaveReport> save(float value) const {
    return tree_ ? lanthorn::save(trees_[value != 1], path_, options_) : lanthorn::save(states_[value != 1], path_, options_);
  }
  void prepare() {
    for (const float value : {1.0F, 2.0F}) {
      trees_[value != 1] = tree_of(value);
      states_[value != 1] = state_of(value, one_);
    }
  }

 private:
  bool tree_, one_;
  SaveOptions options_;
  std::filesystem::path path_;
  ObjectTree trees_[2];
  StateDict states_[2];
};

int wrong(const char* kind, int64_t n, const std::string& what) {
  std::printf("%s %lld: %s\n", kind, static_cast<long long>(n), what.c_str());
  return 1;
}

int every_fault(const std::string& form, const std::filesystem::path& folder) {
  constexpr const char* kNames[] = {"memory", "write", "sync", "rename"};
  constexpr int64_t kMost = 100'000;
  Case saves(form, folder);
  saves.prepare();
  if (const auto saved = saves.save(1); !saved) return wrong("first", 0, saved.error().text());
  const Files before = files_in(folder);
  faults::sync_is_free = true;
  for (int kind = faults::kMemory; kind <= faults::kRename; ++kind) {
    int64_t failed = 0, living = -1;
    for (int64_t n = 1; n < kMost; ++n) {
      if (n == 2) living = faults::living;  // what is made on first use is there by then
      if (n > 2 && faults::living > living) return wrong(kNames[kind], n - 1, "blocks leaked");
      faults::countdown[kind] = n;
      bool done = false, clear = true;
      std::string text;
      {
        const auto saved = saves.save(2);
        done = saved.ok();
        faults::countdown[kind] = faults::countdown[kind] > 0 ? 0 : -1;
        if (!done) {
          const Error& error = saved.error();
          clear = error.code == (kind == faults::kMemory ? ErrorCode::kOutOfMemory : ErrorCode::kSystem) && !error.message.empty() && !error.where.empty();
          text = error.text();
        }
      }
      const bool met = faults::countdown[kind] < 0;
      faults::countdown[kind] = 0;
      if (!clear) return wrong(kNames[kind], n, "the error is " + text);
      if (!done) ++failed;
      const Files now = files_in(folder);
      if (!done && now != before) return wrong(kNames[kind], n, "the old files changed, or something is left over");
      if (done) {
        if (now.size() != before.size() || now == before) return wrong(kNames[kind], n, "what was saved is not there");
        if (const auto back = saves.save(1); !back || files_in(folder) != before) return wrong(kNames[kind], n, "it cannot be saved again");
      }
      if (!met) break;
    }
    std::printf("%s %lld\n", kNames[kind], static_cast<long long>(failed));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return every_fault(argv[1], argv[2]);
  std::fprintf(stderr, "usage: saves FORM FOLDER\n");
  return 2;
}
