#include <cstdio>

#include "cli/command.h"
#include "cli/command_line_shared.h"
#include "cli/diff_shared.h"
#include "cli/json_shared.h"

namespace lanthorn {
namespace {

struct Options {
  std::string a, b;
  DiffOptions diff;
  bool json = false, all = false;
};

std::string tensor_text(const Tensor& tensor) {
  return std::string(dtype_name(tensor.dtype())) + shape_text(tensor.shape());
}

/// "[1, 0, 3]": where the element of this number in C order is.
std::string position_text(const Tensor& tensor, uint64_t index) {
  Shape place(tensor.rank());
  for (size_t axis = tensor.rank(); axis-- > 0;) {
    const auto size = static_cast<uint64_t>(tensor.shape()[axis]);
    place[axis] = static_cast<int64_t>(index % size);
    index /= size;
  }
  return shape_text(place);
}

std::string change_text(const TensorChange& change) {
  std::string text = tensor_text(*change.a);
  if (change.dtype || change.shape) text += " -> " + tensor_text(*change.b);
  if (!change.values) return text;
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, ": %llu of %lld values differ, by at most %.3g (relative %.3g), first at ",
                static_cast<unsigned long long>(change.values->count), static_cast<long long>(change.a->count()),
                change.values->absolute, change.values->relative);
  return text + numbers + position_text(*change.a, change.values->first);
}

/// Prints lines under a heading, the first twenty unless all are wanted.
class Section {
 public:
  Section(const char* heading, size_t count, bool all) : heading_(heading), count_(count), all_(all) {}
  ~Section() {
    if (printed_ < count_) std::printf("  ... and %zu more (--all)\n", count_ - printed_);
  }
  void line(const std::string& text) {
    constexpr size_t kMost = 20;
    if (!all_ && printed_ == kMost) return;
    if (printed_++ == 0) std::printf("%s\n", heading_);
    std::printf("  %s\n", printable(text).c_str());
  }

 private:
  const char* heading_;
  size_t count_, printed_ = 0;
  bool all_;
};

void print_changes(const char* heading, const std::vector<TextChange>& changes, bool all) {
  Section section(heading, changes.size(), all);
  for (const TextChange& change : changes) {
    const std::string name = change.name.empty() ? "" : change.name + ": ";
    if (change.a && change.b) {
      section.line("~ " + name + *change.a + " -> " + *change.b);
    } else {
      section.line((change.a ? "- " : "+ ") + name + (change.a ? *change.a : *change.b));
    }
  }
}

void print_text(const Model& a, const Model& b, const FileDifference& found, bool all) {
  {
    Section only("tensors only in A", found.only_in_a.size(), all);
    for (const std::string& name : found.only_in_a) only.line("- " + name + "  " + tensor_text(*a.tensors().find(name)));
  }
  {
    Section only("tensors only in B", found.only_in_b.size(), all);
    for (const std::string& name : found.only_in_b) only.line("+ " + name + "  " + tensor_text(*b.tensors().find(name)));
  }
  {
    Section differ("tensors that differ", found.tensors.size(), all);
    for (const TensorChange& change : found.tensors) differ.line("~ " + change.name + "  " + change_text(change));
  }
  print_changes("shared memory (tied tensors)", found.ties, all);
  print_changes("objects", found.objects, all);
  print_changes("metadata", found.metadata, all);
  print_changes("graph", found.graph, all);
  for (const std::string& note : found.notes) std::printf("note: %s\n", printable(note).c_str());
  const std::string compared = std::to_string(found.compared_tensors) + " tensors" +
                               (found.compared_objects > 0 ? " and " + std::to_string(found.compared_objects) + " objects" : "");
  if (found.count() == 0) {
    std::printf("the same: %s compared\n", compared.c_str());
  } else {
    std::printf("%zu difference%s: %s compared\n", found.count(), found.count() == 1 ? "" : "s", compared.c_str());
  }
}

void write_side(JsonWriter& writer, const char* key, const Tensor& tensor) {
  json_key(writer, key);
  writer.StartObject();
  json_member(writer, "dtype", dtype_name(tensor.dtype()));
  json_sizes(writer, "shape", tensor.shape());
  writer.EndObject();
}

void write_change(JsonWriter& writer, const TensorChange& change) {
  writer.StartObject();
  json_member(writer, "name", change.name);
  write_side(writer, "a", *change.a);
  write_side(writer, "b", *change.b);
  if (change.values) {
    json_key(writer, "different_values");
    writer.Uint64(change.values->count);
    json_key(writer, "values");
    writer.Int64(change.a->count());
    json_number(writer, "max_abs", change.values->absolute);
    json_number(writer, "max_rel", change.values->relative);
    json_key(writer, "first");
    writer.Uint64(change.values->first);
  }
  writer.EndObject();
}

void write_changes(JsonWriter& writer, const char* key, const std::vector<TextChange>& changes) {
  json_key(writer, key);
  writer.StartArray();
  for (const TextChange& change : changes) {
    writer.StartObject();
    if (!change.name.empty()) {
      json_member(writer, "name", change.name);
    }
    for (const auto& [side, text] : {std::pair("a", &change.a), std::pair("b", &change.b)}) {
      json_key(writer, side);
      *text ? json_text(writer, **text) : static_cast<void>(writer.Null());
    }
    writer.EndObject();
  }
  writer.EndArray();
}

void print_difference(const Options& options, const FileDifference& found) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  json_member(writer, "a", options.a);
  json_member(writer, "b", options.b);
  json_key(writer, "same");
  writer.Bool(found.count() == 0);
  json_key(writer, "tensors");
  writer.StartObject();
  json_key(writer, "compared");
  writer.Uint64(found.compared_tensors);
  json_texts(writer, "only_in_a", found.only_in_a);
  json_texts(writer, "only_in_b", found.only_in_b);
  json_key(writer, "different");
  writer.StartArray();
  for (const TensorChange& change : found.tensors) write_change(writer, change);
  writer.EndArray();
  writer.EndObject();
  write_changes(writer, "ties", found.ties);
  write_changes(writer, "objects", found.objects);
  write_changes(writer, "metadata", found.metadata);
  write_changes(writer, "graph", found.graph);
  json_texts(writer, "notes", found.notes);
  writer.EndObject();
  print_json(buffer);
}

Result<int> diff(const Options& options) {
  LAN_TRY(const Model a, load(options.a));
  LAN_TRY(const Model b, load(options.b));
  LAN_TRY(const FileDifference found, compare_models(a, b, options.diff));
  options.json ? print_difference(options, found) : print_text(a, b, found, options.all);
  return found.count() == 0 ? 0 : 1;
}

int run_command(int argc, char** argv) {
  Options options;
  CLI::App app{"Compares what two files hold: tensors, ties, objects, metadata, graph. Exit 1 where they differ.", "lanthorn diff"};
  app.add_option("A", options.a, "any file that lanthorn reads")->required();
  app.add_option("B", options.b, "another, of the same format or not")->required();
  app.add_option("--tolerance", options.diff.tolerance, "values may differ by so much, relative to the tensor's largest magnitude")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--ignore-dtype", options.diff.ignore_dtype, "equal values of unlike dtypes are no difference");
  app.add_flag("--tensors-only", options.diff.tensors_only, "compare nothing but tensors");
  app.add_flag("--all", options.all, "print every difference, not the first twenty of a kind");
  app.add_flag("--json", options.json, "one JSON document on stdout, with every difference");
  app.footer("NaN equals NaN. Marks: - only in A, + only in B, ~ in both.\n\nExamples:\n"
             "  lanthorn diff epoch_10.pth epoch_11.pth\n"
             "  lanthorn diff model.pth model.safetensors --tensors-only\n"
             "  lanthorn diff model.pth model_fp16.pth --ignore-dtype --tolerance 1e-3\n"
             "  lanthorn diff a.onnx b.onnx --json | jq .graph");
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  const auto done = diff(options);
  return done ? *done : report(done.error());
}

}  // namespace

extern constinit const Command command_diff{"diff", "compares what two files hold", run_command};

}  // namespace lanthorn
