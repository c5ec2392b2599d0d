#include <cstdio>
#include <string>

#include "cli/command.h"
#include "cli/inspect_shared.h"
#include "cli/tensor_facts_shared.h"
#include "formats/npy/npz.h"
#include "model/model_impl.h"

namespace lanthorn {

Result<std::vector<ModuleEntry>> modules_of(const Model& model) {
  if (model.objects()) return list_modules(*model.objects());
  const FileContents& contents = model.impl()->contents;
  if (contents.program) return list_modules(*contents.program);
  return std::vector<ModuleEntry>();
}

const Quantizer* quantizer_named(const Model& model, const std::string& name) {
  const Quantizers& known = model.impl()->contents.quantizers;
  const auto found = known.find(name);
  return found == known.end() ? nullptr : found->second.get();
}

uint64_t parameter_count(const StateDict& tensors) {
  uint64_t count = 0;
  for (const NamedTensor& entry : tensors.entries()) {
    count += static_cast<uint64_t>(entry.tensor.count());
  }
  return count;
}

std::string carried_digest(const Model& model, std::string_view name) {
  const ObjectTree* objects = model.objects();
  if (!objects) return {};
  const ObjectId digests = objects->find(objects->root, "tensor_digests");
  const ObjectId digest = digests == kNoObject ? kNoObject : objects->find(digests, name);
  return digest == kNoObject ? std::string() : (*objects)[digest].text;
}

uint64_t bytes_to_read(const Model& model, const InspectOptions& options) {
  return total_bytes(model.tensors()) * (uint64_t{options.digest} + uint64_t{options.stats});
}

namespace {

Result<const NamedTensor*> find_tensor(const Model& model, const InspectOptions& options) {
  // A name that is the end of one name only is that one: "fc.weight" of "model.fc.weight".
  const NamedTensor* found = nullptr;
  size_t count = 0;
  for (const NamedTensor& entry : model.tensors().entries()) {
    if (entry.name == options.tensor) return &entry;
    if (!entry.name.ends_with("." + options.tensor)) continue;
    found = &entry;
    ++count;
  }
  if (count == 1) return found;
  return Error{ErrorCode::kNotFound,
               count == 0 ? "there is no tensor '" + options.tensor + "'"
                          : std::to_string(count) + " tensors have names that end in '" + options.tensor + "'",
               options.file, "`lanthorn inspect FILE --tensors` lists all names."};
}

Status inspect(const InspectOptions& options) {
  LoadOptions load_options;
  LAN_TRY(load_options.input_shapes, parse_input_shapes(options.shapes));
  LAN_TRY(load_options.max_memory_bytes, parse_bytes(options.max_memory, "--max-memory"));
  LAN_TRY(const Model model, load(options.file, load_options));
  if (!options.tensor.empty()) return inspect_one_tensor(model, options);
  return options.json ? inspect_as_json(model, options) : inspect_as_text(model, options);
}

int run_command(int argc, char** argv) {
  InspectOptions options;
  CLI::App app{"Shows what a file is: format, inputs and outputs, tensors, modules, objects, metadata.", "lanthorn inspect"};
  app.add_option("FILE", options.file, "any file that lanthorn reads")->required();
  app.add_flag("--tensors", options.tensors, "list every tensor: name, dtype, shape, bytes, ties");
  app.add_flag("--digest", options.digest, "with each tensor its SHA-256 (reads all bytes)");
  app.add_flag("--stats", options.stats, "with each tensor min, max, mean and NaN count (reads all bytes)");
  app.add_flag("--objects", options.objects, "list everything else of a checkpoint: numbers, texts, configurations");
  app.add_flag("--modules", options.modules, "list the modules of a whole model: classes, settings, hooks");
  app.add_option("--tensor", options.tensor, "show the numbers of this one tensor");
  app.add_option("--output", options.output, "with --tensor: write it to this .npy file");
  app.add_flag("--graph{text}", options.graph, "print the graph (of a program the one that its example inputs lead to); --graph=dot for Graphviz, --graph=mermaid")
      ->check(CLI::IsMember({"text", "dot", "mermaid"}));
  app.add_flag("--cost", options.cost, "count operators, floating-point operations and memory");
  app.add_flag("--code", options.code, "print the code of a TorchScript archive");
  app.add_option("--input-shape", options.shapes, "NAME:batch,3,224,224 where the file does not tell");
  app.add_option("--max-memory", options.max_memory, "for structures, beyond the mapped file: 512M, 2G")->capture_default_str();
  app.add_flag("--json", options.json, "one JSON document on stdout");
  app.footer("Examples:\n"
             "  lanthorn inspect model.pt\n"
             "  lanthorn inspect checkpoint.pth --tensors --stats\n"
             "  lanthorn inspect checkpoint.pth --objects --json | jq '.objects[] | select(.name | endswith(\"lr\"))'\n"
             "  lanthorn inspect full_model.pth --modules\n"
             "  lanthorn inspect checkpoint.pth --tensor fc.weight --output fc_weight.npy\n"
             "  lanthorn inspect model.onnx --json | jq .inputs\n"
             "  lanthorn inspect --cost model.onnx\n"
             "  lanthorn inspect model.onnx --graph=dot | dot -Tsvg > model.svg");
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  if (!options.output.empty() && options.tensor.empty()) {
    return report(Error{ErrorCode::kUsage, "--output goes with --tensor NAME", "", "See `lanthorn inspect --help`."});
  }
  options.tensors = options.tensors || options.digest || options.stats;
  const Status done = inspect(options);
  return done ? 0 : report(done.error());
}

}  // namespace

Status inspect_one_tensor(const Model& model, const InspectOptions& options) {
  LAN_TRY(const NamedTensor* const entry, find_tensor(model, options));
  const Tensor* const tensor = &entry->tensor;
  const Quantizers& quantizers = model.impl()->contents.quantizers;
  const auto quantizer = quantizers.find(entry->name);
  const bool quantized = quantizer != quantizers.end();
  if (!tensor->storage() && tensor->count() > 0) {
    return Error{ErrorCode::kUnsupported, "the data of '" + options.tensor + "' is not in the file", options.file, ""};
  }
  if (!options.output.empty()) {
    const std::vector<FlatTensor> one = {{entry->name, *tensor, quantized ? quantizer->second : nullptr}};
    LAN_OK(write_npy(options.output, one, {}));
  }
  LAN_TRY(const TensorStatistics statistics, tensor_statistics(*tensor));
  LAN_TRY(const std::string digest, tensor_digest(*tensor));
  const std::string dtype(dtype_name(tensor->dtype()));
  if (options.json) {
    print_one_tensor_json(*entry, quantized ? quantizer->second.get() : nullptr, statistics, digest);
    return ok();
  }
  std::printf("%s  %s%s\n", printable(entry->name).c_str(), dtype.c_str(), shape_text(tensor->shape()).c_str());
  if (quantized) std::printf("  %s\n", quantizer_text(*quantizer->second).c_str());
  const std::string facts = statistics_text(statistics);
  if (!facts.empty()) std::printf("  %s\n", facts.c_str());
  if (!digest.empty()) std::printf("  sha256 %s\n", digest.c_str());
  const std::string_view suffix = npz_suffix(tensor->dtype());
  if (options.output.empty()) {
    std::printf("%s\n", values_text(*tensor).c_str());
  } else {
    std::printf("  written to %s%s\n", options.output.c_str(),
                quantized ? " as the numbers that its integers stand for" : suffix.empty() ? "" : " as bits, as NumPy has no such dtype");
  }
  return ok();
}

extern constinit const Command command_inspect{"inspect", "shows what is in a file", run_command};

}  // namespace lanthorn
