// TorchScript archives: torch.jit.save, and torch::save of C++.
#include "formats/format.h"

#include <algorithm>

#include "codec/byte_reader.h"
#include "codec/pickle.h"
#include "codec/zip.h"
#include "formats/torch/archive.h"
#include "formats/torch/legacy.h"
#include "formats/torchscript/tensor_names.h"
#include "formats/torchscript/unpickle.h"

namespace lanthorn {
namespace {

using script::Program;
using ScriptValue = script::Value;

/// More code than any model has; a bound for hostile files.
constexpr uint64_t kMaxCodeBytes = uint64_t{32} << 20;

bool matches(std::span<const std::byte> bytes) {
  return looks_like_zip(bytes) && torch_archive_kind(bytes) == TorchArchiveKind::kTorchScript;
}

/// The code's files; reads them out of the archive that it shares.
script::CodeSource code_of(const std::shared_ptr<const TorchArchive>& archive) {
  script::CodeSource source;
  const std::string prefix = archive->prefix() + "/";
  for (const ZipEntry& entry : archive->zip().entries()) {
    if (!entry.name.starts_with(prefix)) continue;
    std::string record = entry.name.substr(prefix.size());
    if (record.starts_with("code/")) source.files.push_back(std::move(record));
  }
  source.read = [archive](const std::string& path) -> Result<std::string> {
    LAN_TRY(const auto content, archive->read(path, kMaxCodeBytes));
    return std::string(as_text(content.bytes));
  };
  return source;
}

Result<ScriptValue> read_values(const TorchArchive& archive, const std::string& record,
                                const std::string& folder, const Program& program,
                                const ReadLimits& limits, FileContents& contents,
                                RootQuantizers& quantizers) {
  LAN_TRY(const auto pickle, archive.read(record, limits.max_memory_bytes));
  auto tree = read_pickle(pickle.bytes, pickle_limits(limits));
  if (!tree) return std::move(tree).error().at(record);
  ArchiveStorages storages(archive, folder,
                           inflated_limit(limits, archive.zip().file()->bytes().size()),
                           limits.check_crc);
  ScriptUnpickler unpickler(*tree, storages, pickle.owner, *program.classes,
                            limits.max_memory_bytes);
  unpickler.use(program.constants, program.version);
  auto value = unpickler.build();
  if (!value) return std::move(value).error().at(record);
  for (std::string& note : unpickler.take_notes()) contents.notes.push_back(std::move(note));
  quantizers = unpickler.take_quantizers();
  return value;
}

/// The leaves of the example inputs of the entry method, in the order in which `run` flattens.
void flatten(const ScriptValue& value, std::vector<ScriptValue>& out, int depth) {
  if (depth > 32 || out.size() > 10'000) return;
  if (const auto list = value.list()) {
    for (const ScriptValue& item : list->items) flatten(item, out, depth + 1);
  } else if (const auto tuple = value.tuple()) {
    for (const ScriptValue& item : tuple->items) flatten(item, out, depth + 1);
  } else if (const auto dict = value.dict()) {
    for (const auto& [key, item] : dict->entries) flatten(item, out, depth + 1);
  } else if (!value.is_none()) {
    out.push_back(value);
  }
}

void choose_methods(Program& program) {
  program.methods = program.root->type->method_names();
  if (!program.root->type->method("forward") && program.root->type->method("forward__0")) {
    program.method = "forward__0";
  }
}

void describe(const TorchArchive& archive, const Program& program, FileContents& contents) {
  contents.metadata.emplace_back("class", program.root->type->readable_name());
  std::string methods;
  for (const std::string& name : program.methods) methods += (methods.empty() ? "" : ", ") + name;
  if (!methods.empty()) contents.metadata.emplace_back("methods", methods);
  const std::string prefix = archive.prefix() + "/extra/";
  for (const ZipEntry& entry : archive.zip().entries()) {
    if (entry.name.starts_with(prefix)) {
      contents.metadata.emplace_back("extra file", entry.name.substr(prefix.size()) + " (" +
                                                       std::to_string(entry.bytes) + " bytes)");
    }
  }
}

Result<FileContents> read(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits) {
  LAN_TRY(TorchArchive opened, TorchArchive::open(file));
  const auto archive = std::make_shared<const TorchArchive>(std::move(opened));
  if (!archive->has("data.pkl") && archive->has("model.json")) {
    return Error{
        ErrorCode::kUnsupported,
        "this is a TorchScript archive of PyTorch 1.0 to 1.3 (model.json), which is not read", "",
        "Load it with a PyTorch of up to 2.13 and save it again with torch.jit.save."};
  }
  FileContents contents;
  contents.format = "torchscript";
  contents.format_version = archive->version() > 0 ? std::to_string(archive->version()) : "";
  contents.producer = archive->producer();

  auto program = std::make_shared<Program>();
  program->version = archive->version();
  program->classes = std::make_shared<const script::ClassTable>(code_of(archive));
  RootQuantizers of_constants, of_attributes;
  if (archive->has("constants.pkl")) {
    LAN_TRY(const ScriptValue constants,
            read_values(*archive, "constants.pkl", "constants", *program, limits, contents,
                        of_constants));
    if (const auto tuple = constants.tuple()) {
      program->constants = tuple->items;
    } else if (const auto list = constants.list()) {
      program->constants = list->items;
    } else {
      return Error{ErrorCode::kCorrupt, "the constants are no tuple", "constants.pkl", ""};
    }
    for (size_t i = 0; i < program->constants.size(); ++i) {
      const auto tensor = program->constants[i].tensor();
      if (tensor && tensor->root->attribute.empty())
        tensor->root->attribute = "CONSTANTS.c" + std::to_string(i);
    }
  }
  LAN_TRY(const ScriptValue root,
          read_values(*archive, "data.pkl", "data", *program, limits, contents, of_attributes));
  auto object = root.object();
  if (!object || !object->type) {
    return Error{ErrorCode::kCorrupt,
                 "the archive's main value is a " + script::kind_of(root) + ", not a module",
                 "data.pkl", ""};
  }
  TensorNames names;
  LAN_OK(names.add(root, "", of_attributes));
  // torch.jit.freeze makes constants of a module's weights, and takes its "training".
  if (object->find("training") == nullptr) {
    for (size_t i = 0; i < program->constants.size(); ++i) {
      LAN_OK(names.add(program->constants[i], "CONSTANTS.c" + std::to_string(i), of_constants));
    }
  }
  NamedTensors named = names.take();
  contents.tensors = std::move(named.tensors);
  contents.quantizers = std::move(named.quantizers);
  program->root = std::move(object);
  choose_methods(*program);
  if (archive->has("traced_inputs.pkl")) {
    // They are for convenience only: a broken one costs nothing.
    FileContents ignored;
    RootQuantizers unused;
    if (const auto traced = read_values(*archive, "traced_inputs.pkl", "traced_inputs", *program,
                                        limits, ignored, unused)) {
      if (const auto methods = traced->dict()) {
        for (const auto& [name, arguments] : methods->entries) {
          if (name.text() && *name.text() == program->method)
            flatten(arguments, program->traced_inputs, 0);
        }
      }
    }
  }
  describe(*archive, *program, contents);
  contents.program = std::move(program);
  return contents;
}

}  // namespace

extern const Format format_torchscript;
const Format format_torchscript{"torchscript", "archives of PyTorch 1.4 to 2.13 (versions 1 to 10)",
                                matches, read};

}  // namespace lanthorn
