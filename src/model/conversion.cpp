#include "model/conversion.h"

#include <algorithm>
#include <map>
#include <set>

#include "formats/module_list.h"
#include "formats/npy/npz.h"
#include "formats/safetensors/write.h"
#include "formats/torch/object_text.h"
#include "formats/torch/plain_tree.h"
#include "formats/torch/write.h"

namespace lanthorn {
namespace {

constexpr size_t kMostListed = 20;

bool is_tensor_format(std::string_view format) {
  constexpr std::string_view kAll[] = {"torch", "torch-legacy", "safetensors", "npz", "npy"};
  return std::find(std::begin(kAll), std::end(kAll), format) != std::end(kAll);
}

bool is_torch(std::string_view format) { return format == "torch" || format == "torch-legacy"; }

/// What to say of formats that tensors alone do not make.
Error no_writer(const std::string& format) {
  if (format == "onnx" || format == "torchscript" || format == "mobile" || format == "pt2" ||
      format == "bundle") {
    return Error{ErrorCode::kUnsupported,
                 "a model's program cannot be written as " + format + "; its tensors can be written "
                 "in other formats",
                 "", "Use --to torch, safetensors, npz or npy."};
  }
  return Error{ErrorCode::kUsage, "there is no format '" + format + "' to write", "--to",
               "Use torch, torch-legacy, safetensors, npz or npy."};
}

bool is_selected(const std::string& name, const ConversionOptions& options) {
  const auto fits = [&](const std::string& glob) { return matches_glob(name, glob); };
  const auto& select = options.select;
  if (!select.empty() && std::none_of(select.begin(), select.end(), fits)) return false;
  return std::none_of(options.exclude.begin(), options.exclude.end(), fits);
}

/// The tensors of one file. What is no array of NumPy's is written for load_state_dict, so of a whole
/// model its state_dict is taken.
Result<std::vector<FlatTensor>> tensors_of(const FileContents& contents, const std::string& format,
                                           std::vector<std::string>& notes) {
  if (!contents.objects) return flat_tensors(contents.tensors, contents.quantizers);
  if (format == "npz" || format == "npy") return flat_tensors(*contents.objects);
  LAN_TRY(PlainTree plain, make_plain(*contents.objects));
  for (std::string& note : plain.notes) notes.push_back(std::move(note));
  return flat_tensors(plain.tree);
}

Status add_steps(std::vector<FlatTensor> tensors, const ConversionOptions& options,
                 Conversion& conversion, std::map<std::string, size_t>& places,
                 std::vector<std::string>& twice) {
  for (FlatTensor& tensor : tensors) {
    if (!is_selected(tensor.name, options)) {
      ++conversion.left_out;
      continue;
    }
    if (tensor.tensor.dtype() == DType::kString && !conversion.format.starts_with("np")) {
      conversion.notes.push_back("the array of text '" + tensor.name + "' was left out");
      continue;
    }
    conversion.unscaled += is_quantized(tensor.tensor.dtype()) && !tensor.quantizer;
    ConversionStep step{tensor.name, std::move(tensor)};
    step.tensor.name = options.names.apply(step.source);
    const auto [place, is_new] = places.emplace(step.tensor.name, conversion.steps.size());
    if (is_new) {
      conversion.steps.push_back(std::move(step));
    } else if (options.last_wins) {
      conversion.steps[place->second] = std::move(step);
    } else {
      twice.push_back(step.tensor.name);
    }
  }
  return ok();
}

/// Of a checkpoint what says how its tensors were made goes into the metadata that safetensors has; what
/// else is no tensor is left out, and that is said.
Status keep_metadata(const FileContents& contents, Conversion& conversion) {
  const ObjectTree& tree = *contents.objects;
  std::set<std::string, std::less<>> kept;
  if (conversion.format == "safetensors") {
    for (const auto& [key, value] : contents.metadata) {
      if (tree.find(tree.root, key) == kNoObject || contents.tensors.find(key) != nullptr) continue;
      conversion.write.metadata.emplace_back(key, value);
      kept.insert(key);
    }
  }
  LAN_TRY(const auto entries, list_objects(tree));
  std::vector<std::string> dropped;
  size_t values = 0;
  for (const ObjectEntry& entry : entries) {
    if (!is_object_leaf(tree, entry.id)) continue;
    std::string top = entry.name.substr(0, entry.name.find('.'));
    if (kept.count(top) > 0) continue;
    ++values;
    const bool known = std::find(dropped.begin(), dropped.end(), top) != dropped.end();
    if (!known && dropped.size() < kMostListed) dropped.push_back(std::move(top));
  }
  if (values == 0) return ok();
  std::string names;
  for (const std::string& name : dropped) names += (names.empty() ? "" : ", ") + name;
  conversion.notes.push_back(std::to_string(values) +
                             " values that are no tensors were left out (of " + names +
                             "); PyTorch's formats keep them");
  return ok();
}

Error names_twice(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kMostListed; ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kMostListed) text += ", ...";
  return Error{ErrorCode::kUsage,
               std::to_string(names.size()) + " names would come twice: " + text, "",
               "Rename them, choose with --select, or let the last input win with --last-wins."};
}

}  // namespace

std::string format_of_name(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  for (const char* known : {".pth", ".pt", ".bin", ".ckpt", ".tar", ".pkl", ".th"}) {
    if (extension == known) return "torch";
  }
  for (const char* known : {"safetensors", "npz", "npy", "onnx", "pt2"}) {
    if (extension == std::string(".") + known) return known;
  }
  if (extension == ".ptl") return "mobile";
  return {};
}

Result<WriteReport> write_tensors(const std::string& format, const std::filesystem::path& path,
                                  const std::vector<FlatTensor>& tensors,
                                  const WriteOptions& options) {
  if (format == "torch") return write_torch(path, tensors, options);
  if (format == "torch-legacy") return write_torch(path, tensors, options, TorchForm::kLegacy);
  if (format == "safetensors") return write_safetensors(path, tensors, options);
  if (format == "npz") return write_npz(path, tensors, options);
  if (format == "npy") return write_npy(path, tensors, options);
  return no_writer(format);
}

Result<Conversion> plan_conversion(const std::vector<std::filesystem::path>& inputs,
                                   const std::filesystem::path& output,
                                   const ConversionOptions& options) {
  Conversion conversion;
  conversion.write = options.write;
  conversion.format = options.format.empty() ? format_of_name(output) : options.format;
  if (conversion.format.empty()) {
    return Error{ErrorCode::kUsage, "the name does not say which format to write", output.string(),
                 "Use .pth, .safetensors, .npz or .npy, or name the format with --to."};
  }
  ReadLimits limits = options.limits;
  limits.check_crc = true;
  std::map<std::string, size_t> places;
  std::vector<std::string> twice;
  for (const auto& input : inputs) {
    LAN_TRY(FileContents contents, read_file(input, limits));
    if (options.format.empty() && output.extension() == ".pt" && contents.program) {
      conversion.format = "torchscript";
    }
    if (!is_tensor_format(conversion.format)) return no_writer(conversion.format);
    conversion.source_formats.push_back(contents.format);
    for (std::string& note : contents.notes) conversion.notes.push_back(std::move(note));
    for (auto& file : contents.files) conversion.write.sources.push_back(std::move(file));
    const bool stays = inputs.size() == 1 && contents.objects && is_torch(conversion.format) &&
                       !options.flat && options.names.empty() && options.select.empty() &&
                       options.exclude.empty() && options.write.max_shard_bytes == 0;
    if (stays) conversion.tree = contents.objects;
    if (contents.format == "safetensors" && inputs.size() == 1) {
      for (auto& [key, value] : contents.metadata) {
        if (contents.tensors.find(key) == nullptr) {
          conversion.write.metadata.emplace_back(key, value);
        }
      }
    }
    const bool only_tensors = !is_torch(conversion.format) && options.select.empty() &&
                              options.exclude.empty();
    if (contents.objects && inputs.size() == 1 && only_tensors) {
      LAN_TRY(const auto modules, list_modules(*contents.objects));
      if (modules.empty()) LAN_OK(keep_metadata(contents, conversion));
    }
    std::vector<std::string> notes;
    LAN_TRY(auto tensors, tensors_of(contents, conversion.format, notes));
    if (!stays) {
      for (std::string& note : notes) conversion.notes.push_back(std::move(note));
    }
    LAN_OK(add_steps(std::move(tensors), options, conversion, places, twice));
  }
  if (conversion.unscaled > 0 && !conversion.tree) {
    conversion.notes.push_back(std::to_string(conversion.unscaled) +
                               " quantized tensors are written as their integers, because what "
                               "these mean is not known");
  }
  if (!twice.empty()) return names_twice(twice);
  if (conversion.steps.empty() && conversion.left_out > 0) {
    return Error{ErrorCode::kUsage, "no tensor is selected", "",
                 "`lanthorn inspect --tensors` lists the names."};
  }
  if (conversion.steps.empty()) conversion.notes.push_back("there are no tensors to be written");
  for (const ConversionStep& step : conversion.steps) {
    conversion.bytes += step.tensor.tensor.byte_size();
  }
  return conversion;
}

Result<WriteReport> run_conversion(const Conversion& conversion,
                                   const std::filesystem::path& output) {
  if (conversion.tree) {
    return write_torch(output, *conversion.tree, conversion.write,
                       conversion.format == "torch" ? TorchForm::kZip : TorchForm::kLegacy);
  }
  std::vector<FlatTensor> tensors;
  tensors.reserve(conversion.steps.size());
  for (const ConversionStep& step : conversion.steps) tensors.push_back(step.tensor);
  return write_tensors(conversion.format, output, tensors, conversion.write);
}

}  // namespace lanthorn
