-- Neovim 0.7 or newer: put this into ~/.config/nvim/plugin/sieve.lua, or source it from init.lua.
--
-- Problems are shown while you write. K tells what a word does, gd opens an included script, <C-x><C-o> completes (and
-- adds what is missing to `require`), <leader>a mends, <leader>f lays the script out as `sievemda sieve format` does.

local command = { 'sievemda', 'sieve', 'lsp' }
local running -- one server for all scripts, where Neovim does not see to that itself

local function on_attach(client, buffer)
  local function map(keys, action)
    vim.keymap.set('n', keys, action, { buffer = buffer })
  end
  vim.bo[buffer].omnifunc = 'v:lua.vim.lsp.omnifunc'
  map('K', vim.lsp.buf.hover)
  map('gd', vim.lsp.buf.definition)
  map('gO', vim.lsp.buf.document_symbol)
  map('<leader>a', vim.lsp.buf.code_action)
  map('<leader>f', function()
    if vim.lsp.buf.format then vim.lsp.buf.format() else vim.lsp.buf.formatting_sync() end
  end)
  if vim.lsp.completion then
    vim.lsp.completion.enable(true, client.id, buffer)
    return
  end
  -- Before Neovim 0.11 a completed word does not bring its `require` along by itself.
  vim.api.nvim_create_autocmd('CompleteDone', {
    buffer = buffer,
    callback = function()
      local data = vim.v.completed_item.user_data
      local item = vim.tbl_get(type(data) == 'table' and data or {}, 'nvim', 'lsp', 'completion_item')
      if item and item.additionalTextEdits then
        vim.lsp.util.apply_text_edits(item.additionalTextEdits, buffer, client.offset_encoding)
      end
    end,
  })
end

vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile' }, {
  pattern = { '*.sieve', '*.siv', '*.svtest' },
  callback = function(event)
    vim.bo[event.buf].filetype = event.match:match('svtest$') and 'svtest' or 'sieve'
    vim.bo[event.buf].commentstring = '# %s'
    local settings = {
      name = 'sievemda',
      cmd = command,
      root_dir = vim.fn.fnamemodify(event.match, ':p:h'),
      on_attach = on_attach,
      -- init_options = { extensions = { 'fileinto', 'vacation' }, mailboxes = { 'Lists' } },
    }
    if vim.lsp.start then
      vim.lsp.start(settings)
    else
      running = running or vim.lsp.start_client(settings)
      vim.lsp.buf_attach_client(event.buf, running)
    end
  end,
})
