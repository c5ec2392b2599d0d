#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

using PickleId = uint32_t;
constexpr PickleId kNoPickle = UINT32_MAX;
constexpr uint64_t kViewedBytes = 4096;

/// What an opcode stream builds, as data: nothing is ever imported or called. Where Python would
/// import a name there is a kGlobal, where it would call one there is a kCall that says with what.
struct PickleNode {
  enum class Kind : uint8_t {
    kNone,
    kBool,
    kInt,
    kBigInt,
    kFloat,
    kString,
    kBytes,
    kByteArray,
    kList,
    kTuple,
    kDict,
    kSet,
    kFrozenSet,
    kGlobal,      // text: "module.name" (module and name by `split`)
    kPersistent,  // items[0]: the persistent id
    kCall,        // REDUCE, NEWOBJ, INST, OBJ: callee, arguments; then state, items, entries
    kExtension,   // EXT1/2/4: integer, the code of Python's extension registry
    kBuffer,      // protocol 5 out-of-band: integer is its index
  };
  Kind kind = Kind::kNone;
  bool flag = false;
  bool read_only = false;
  uint16_t split = 0;   // kGlobal: length of the module's name in `text`
  int64_t integer = 0;  // kGlobal: its place in PickleTree::globals
  double real = 0;
  // kBytes and kByteArray of kViewedBytes or more: where they lie in the input; then `text` is
  // empty. kCall: its PickleLimits::inline_bytes.
  std::span<const std::byte> view;
  std::string text;  // string (UTF-8, lone surrogates kept as WTF-8), bytes, digits of kBigInt
  PickleId callee = kNoPickle;     // kCall
  PickleId arguments = kNoPickle;  // kCall: a tuple
  PickleId keywords = kNoPickle;   // kCall by NEWOBJ_EX: a dict
  std::vector<PickleId> states;    // kCall and others: what each BUILD gave, in order
  std::vector<PickleId> items;     // list, tuple, set elements; APPENDs of an instance
  std::vector<PickleId> entries;   // dict: key, value, key, value; SETITEMs of an instance
  uint64_t offset = 0;             // of the opcode that made it

  /// The bytes of kBytes and kByteArray, wherever they are; of kString its UTF-8.
  std::span<const std::byte> bytes() const {
    return view.empty() ? std::as_bytes(std::span(text)) : view;
  }
};

/// A global that the stream names, in order, used or not: what a scanner judges.
struct PickleGlobal {
  std::string module, name;
  uint64_t offset = 0;
  bool called = false;
  bool computed = false;  // module or name is made by a call, so that only running it would tell
  bool changed = false;   // BUILD gives it a state: the class or module itself would be changed
  bool harmless = false;  // set by who knows what it is: all that is done with it makes plain data
};

struct PickleTree;

struct PickleLimits {
  uint64_t max_nodes = 4'000'000;
  uint64_t max_bytes = uint64_t{256} << 20;  // of all nodes and texts
  uint32_t max_depth = 1000;                 // of the finished tree, cycles aside
  /// How many bytes of the stream an object reads itself once BUILD has given it its state (arrays
  /// of joblib); `rest` begins behind the opcode. Null: none does.
  uint64_t (*inline_bytes)(const PickleTree& tree, PickleId built,
                           std::span<const std::byte> rest) = nullptr;
};

struct PickleTree {
  std::deque<PickleNode> nodes;
  PickleId root = kNoPickle;
  std::vector<PickleGlobal> globals;
  int protocol = 0;
  uint64_t bytes_read = 0;  // up to and with STOP

  const PickleNode& operator[](PickleId id) const { return nodes[id]; }
};

/// Runs the opcodes of one pickle, protocols 0 to 5, up to its STOP. Offsets in errors and nodes
/// count from `base_offset`. kCorrupt, kLimit. What Python's unpickler refuses is refused here, and
/// what it would do to an object of unknown class is recorded.
Result<PickleTree> read_pickle(std::span<const std::byte> bytes, const PickleLimits& limits = {},
                               uint64_t base_offset = 0);

/// The same for a scanner: a stream does its harm before the place where it breaks, so the tree up
/// to there (without a root) and its globals are kept. Where an opcode does not fit the values that
/// it finds, an opaque value stands for what it makes and the scan goes on, up to STOP or the first
/// byte that no reader gets past: what one version of Python refuses, another may not.
struct PickleScan {
  PickleTree tree;
  std::optional<Error> error;  // the first; the tree is then no truth about values
  uint64_t error_offset = 0;   // of the opcode that it is about
};
PickleScan scan_pickle(std::span<const std::byte> bytes, const PickleLimits& limits = {},
                       uint64_t base_offset = 0);

}  // namespace lanthorn
