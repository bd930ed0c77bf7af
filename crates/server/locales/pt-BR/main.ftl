# As palavras de todas as páginas. Uma mensagem, uma linha; os nomes começam com a página em que elas estão.

# Moldura
sample = Esta é uma organização de exemplo. Ninguém e nada nela é real.
skip = Ir para o conteúdo
brand = Stead, início
menu = Menu
menu-main = Principal
menu-home = Início
menu-team = Equipe
menu-overview = Visão geral
menu-people = Pessoas
menu-devices = Dispositivos
menu-rules = Regras
menu-proof = Comprovação
menu-ledger = Registro
menu-system = Sistema
menu-record = O que sabemos sobre você
menu-search = Buscar
foot = Rodapé
foot-ways = Acesso e idioma
foot-policy = Política
foot-stead = O Stead mantém seguro o trabalho feito fora do escritório, e comprova isso.
sign-out = Sair
go-home = Ir para a sua página inicial
go-on = Continuar
never-mind = Cancelar
keep = Salvar
change = Alterar
show = Mostrar
remove = Remover
done = Feito
open = Em aberto
late = Atrasado
none = Não há
next = Próxima
not-yet = Ainda não
pages = Páginas
here = Você está aqui
form-summary = Algo aqui precisa ser revisto:

# Tempo
month-1 = janeiro
month-2 = fevereiro
month-3 = março
month-4 = abril
month-5 = maio
month-6 = junho
month-7 = julho
month-8 = agosto
month-9 = setembro
month-10 = outubro
month-11 = novembro
month-12 = dezembro
weekday-1 = segunda-feira
weekday-2 = terça-feira
weekday-3 = quarta-feira
weekday-4 = quinta-feira
weekday-5 = sexta-feira
weekday-6 = sábado
weekday-7 = domingo
time-long = { $weekday }, { $day } de { $month } de { $year }, { $time }
time-short = { $day } de { $month }, { $time }
time-short-year = { $day } de { $month } de { $year }, { $time }
time-deadline = { $weekday }, { $day } de { $month }, { $time }
date = { $day } de { $month } de { $year }
weekday-brief-1 = seg.
weekday-brief-2 = ter.
weekday-brief-3 = qua.
weekday-brief-4 = qui.
weekday-brief-5 = sex.
weekday-brief-6 = sáb.
weekday-brief-7 = dom.
time-brief = { $weekday } { $time }
day-brief = { $day } de { $month }
yes = Sim
no = Não
nothing = Nada
ago-now = agora mesmo
ago-minutes = há { $n } minutos
ago-hours = há { $n } horas
ago-days = há { $n } dias
length-days = { $n ->
    [one] { $n } dia
   *[other] { $n } dias
  }
length-hours = { $n ->
    [one] { $n } hora
   *[other] { $n } horas
  }
length-minutes = { $n ->
    [one] { $n } minuto
   *[other] { $n } minutos
  }
grace = { $length } a partir da primeira reprovação
grace-none = Nenhum: conta na hora

# Avaliações
standing-good = Em dia
standing-due = A fazer
standing-lapsed = Vencido
standing-unknown = Desconhecido
outcome-pass = Aprovado
outcome-fail = Reprovado
outcome-fail-due = Reprovado, a fazer
outcome-unknown = Desconhecido
outcome-excepted = Com exceção
outcome-not-applicable = Não se aplica
window-open = Aberto
window-until = Até { $time }
window-closed = Fechado
tier-open = Do dia a dia
tier-standard = Interno
tier-restricted = Restrito

# Funções e situações
role = Função
roles = Funções
role-manager = Gestão
role-coordinator = Coordenação de teletrabalho
role-security = Segurança
role-records = Gestão de documentos
role-auditor = Auditoria
role-operator = Operação
state-invited = Com convite
state-active = Em atividade
state-on_leave = Em licença
state-leaving = De saída
state-gone = Saiu

# Campos
field-name = Nome
field-email = Endereço de e-mail
field-staff_number = Matrícula
field-unit = Unidade
field-manager = Gestão
field-state = Situação
field-last_day = Último dia
field-added = Anotado em
field-language = Idioma
field-zone = Fuso horário
field-role = Função
field-password = Senha
field-code = Código
field-empty = Isto está vazio. Preencha.
email-hint = Para entrar e para receber mensagens.
email-wrong = Isto não é um endereço de e-mail. Um exemplo é sam@example.org.
email-taken = Outra pessoa tem este endereço.
text-nul = O texto contém um caractere NUL. Retire-o e envie de novo.
body-large = É grande demais. Aqui são aceitos no máximo { $kilobytes } KiB.
manager-elsewhere = Esta pessoa não está em uma unidade que você coordena e ainda não é gestora de ninguém. Peça primeiro à coordenação dela.
email-of-trusted = Esta pessoa tem uma função, é responsável por outras pessoas ou consta do acesso de emergência; quem muda o endereço dela é a operação.
state-of-trusted = Esta pessoa tem uma função, é responsável por outras pessoas ou consta do acesso de emergência. Peça antes à operação que retire as funções dela, e dê outro responsável às pessoas dela.
number-taken = Outra pessoa tem esta matrícula.
staff-number-hint = O número pelo qual seus outros sistemas conhecem a pessoa. Pode ficar vazio.
manager-hint = O endereço de e-mail de quem responde pela pessoa, quando não é a gestão da unidade. Pode ficar vazio.
manager-self = Ninguém responde por si. Indique outra pessoa ou deixe vazio.
manager-unknown = Ninguém tem este endereço. Adicione a pessoa antes, ou corrija o endereço.
unit-unknown = Não há uma unidade assim em que você possa colocar pessoas. Escolha outra.
language-unknown = Este idioma ainda não está disponível. Escolha um da lista.
zone-unknown = Este fuso horário não é conhecido. Escolha um da lista, como America/Sao_Paulo.

# O que deu errado
store-away = Não conseguimos salvar agora. Nada foi alterado. Tente de novo em um minuto.
may-be-saved = Não sabemos se isto foi salvo. Recarregue a página para conferir antes de tentar de novo.
our-fault = O erro é nosso, e nada foi alterado. Tente de novo; se continuar, avise-nos.
form-wrong = Veja o que é dito sobre cada campo e envie de novo.
forbidden = Suas funções não dão acesso a isto. Quem cuida do teletrabalho na sua unidade pode dizer por quê, ou fazer isso por você.
cross-site = Isto veio de outro site. Abra a página aqui e tente de novo.
nothing-here = Não há nada neste endereço. Comece pela sua página inicial.
wrong-method = Isto não pode ser feito neste endereço.
panicked = O erro é nosso, e nada foi alterado. O log diz mais.
nothing-changed = Nada mudaria. O que você enviou já está aqui.
proof-needed = Passou tempo demais desde que você mostrou quem é. Abra a página de novo; ela pergunta mais uma vez.
purpose-needed = Os dados de outra pessoa só abrem com uma finalidade. Abra de novo e diga para quê.
sign-in-needed = Entre antes.
problem-explained = Esta página explica um tipo de problema. Cada vez que ele acontece, a mensagem diz o que fazer.

# Entrar
sign-in-title = Entrar no Stead
sign-in-passkey = Entrar com uma chave de acesso
sign-in-passkey-hint = Com sua impressão digital, seu rosto ou o bloqueio do seu dispositivo. Nada para lembrar, nada para roubar.
sign-in-password = Ou com uma senha
sign-in-press = Entrar
sign-in-wrong = O endereço e a senha não combinam. Confira os dois; maiúsculas contam.
sign-in-slow-down = Tentativas demais. Tente de novo em { $seconds } segundos; uma chave de acesso funciona na hora.
sign-in-begin-again = Isso demorou demais, ou já foi feito. Comece de novo.
sign-in-outside = Entrar com { $name }
outside-away = O outro lado não responde. Tente de novo em um minuto, ou entre de outra forma.
outside-not-confirmed = O outro lado não confirmou. Comece de novo, ou entre de outra forma.
outside-no-email = O outro lado não garante nenhum endereço de e-mail seu. Fale com quem cuida dele.
outside-another = Seu endereço está ligado a outra conta de lá. Peça à coordenação de teletrabalho que redefina como você entra.
outside-unknown = Você não está no cadastro daqui. Peça à coordenação de teletrabalho que adicione você.
sign-in-trouble = Você não consegue entrar
sign-in-trouble-person = Sua coordenação de teletrabalho pode enviar um link com que você configura seu acesso de novo.
sign-in-trouble-operator = Quem opera este servidor cria um link para si com
link-sign-in = Este link funciona uma vez. A sessão dura até você sair, por um dia no máximo.
link-sign-in-press = Entrar
link-invite = Boas-vindas. Este link é só seu e funciona uma vez. Em seguida, você escolhe como entrar daqui em diante.
link-invite-press = Começar
link-reset = Este link funciona uma vez. Ele encerra suas sessões em todos os lugares, e você escolhe de novo como entrar.
link-reset-press = Começar
link-gone = Este link já foi usado, ou o prazo dele passou. Peça outro a quem o enviou.
prove-title = Mostre mais uma vez que é você
prove-lead = Esta parte é sensível, por isso perguntamos de novo. Vale por dez minutos.
prove-passkey = Com uma chave de acesso
prove-none = Você entrou por um link. Saia e peça outro link.
code-title = Mais um passo: seu código
code-lead = Sua senha confere. Agora digite o código que seu autenticador mostra.
code-hint = Seis dígitos. Sem o celular, digite um dos seus códigos de recuperação.
code-wrong = Este código não confere, ou já foi usado. Espere o próximo e digite esse.
code-on-already = Seu autenticador já está ativo. Remova-o antes, se quiser outro.
code-needed-by-password = Sua senha é curta demais para ficar sozinha. Defina antes uma mais longa, ou adicione uma chave de acesso e remova a senha.
code-unusable = Não é possível verificar seu autenticador agora. Quem opera o servidor precisa ver isso; enquanto isso, uma chave de acesso funciona.

# Formas de entrar
ways-title = Acesso e idioma
ways-lead = Como você entra, onde tem sessão aberta e como as páginas falam com você.
ways-welcome = Escolha como entrar
ways-welcome-lead = Uma chave de acesso é o mais rápido e o mais seguro. Uma senha longa também serve. Uma das duas basta.
ways-last = Esta é sua única forma de entrar. Adicione outra antes.
passkeys = Chaves de acesso
passkeys-why = Uma chave de acesso fica no seu dispositivo e abre com o bloqueio dele. Ninguém consegue adivinhá-la nem tirá-la de você na conversa.
passkey-since = Desde { $date }
passkey-name = Que nome você dá a ela
passkey-name-hint = Por exemplo: notebook do trabalho, chave azul.
passkey-add = Adicionar uma chave de acesso
passkey-wrong = Esta chave de acesso não foi aceita. Tente de novo, ou entre de outra forma.
passkey-there = Esta chave de acesso já está aqui.
passkey-most = Você tem chaves de acesso demais. Remova uma antes.
passkey-needs-name = Chaves de acesso precisam de um servidor com nome. Este é acessado por um número.
password-since = Definida em { $date }.
password-none = Você não tem senha. Com uma chave de acesso, não precisa de uma.
password-new = Nova senha
password-hint = Pelo menos { $least } caracteres. Três ou quatro palavras sem relação entre si são uma boa senha. Ela nunca expira.
password-set = Definir a senha
password-remove = Remover a senha
password-short = Isto tem menos de { $least } caracteres. Acrescente mais uma palavra.
password-long = Isto tem mais de { $most } caracteres. Tire alguns.
password-common = Muita gente usa isto. Escolha palavras que sejam só suas.
password-about-you = Isto é quase só o seu nome ou o lugar em que você trabalha. Escolha outras palavras.
password-guessable = Isto é fácil de adivinhar. Acrescente uma ou duas palavras sem relação entre si.
password-wrong = Esta não é a sua senha. Confira; maiúsculas contam.
code-heading = Autenticador
code-why = Um segundo passo depois da senha: um app no seu celular mostra um código novo a cada meio minuto. Com ele, basta uma senha mais curta.
code-on = Ativo
code-set-up = Configurar um autenticador
code-remove = Remover o autenticador
code-step-app = Abra o app autenticador no seu celular, ou instale um. Qualquer um serve.
code-step-scan = Deixe que ele leia esta imagem.
code-step-type = Ou digite isto
code-picture = Imagem para o seu app autenticador; o mesmo em texto está abaixo
code-step-code = Digite o código que ele mostra.
code-confirm = Ativar
recovery-title = Guarde estes códigos em lugar seguro
recovery-lead = Cada um deixa você entrar uma vez sem o celular. Só os mostramos agora. Imprima, ou guarde no seu gerenciador de senhas.
recovery-kept = Já guardei
recovery-left = { $n ->
    [0] Não resta nenhum código de recuperação.
    [one] Resta { $n } código de recuperação.
   *[other] Restam { $n } códigos de recuperação.
  }
sessions = Onde você tem sessão aberta
sessions-why = Cada uma termina sozinha depois de oito horas sem uso, e depois de um dia no máximo.
sessions-end = Sair em todos os outros lugares
session-this = Esta
session-end = Encerrar
session-used = usada { $ago }
method-passkey = Chave de acesso
method-password = Senha
method-password-code = Senha e código
method-password-recovery = Senha e código de recuperação
method-outside = Acesso da sua organização
method-link = Link de uso único
outside = Contas externas com que você entra
speak = Idioma e hora
as-browser = Como o navegador pede
as-server = Como está no servidor

# Consultar outras pessoas
look-title = Para quê?
look-headline = Para que você precisa dos dados de { $name }?
look-lead = Esta consulta fica registrada. { $name } vê quem consultou, quando e para quê.
look-purpose = Para quê
look-words = Nas suas palavras
look-words-hint = Poucas palavras, como o número de um caso. Pode ficar vazio, menos para outra finalidade.
look-press = Abrir os dados
purpose-help = Para ajudar a pessoa em algo
purpose-follow-up = Para acompanhar algo que está por fazer
purpose-incident = Por causa de uma perda ou de um incidente
purpose-review = Para uma revisão ou uma auditoria
purpose-directory = Para manter o cadastro de pessoas correto
purpose-other = Para outra finalidade
purpose-choose = Escolha para que você precisa disso.
purpose-say = Diga em poucas palavras para que você precisa disso.

# Início
home-allow = Você está com acesso liberado para trabalhar fora do escritório.
home-limit = Você está com acesso liberado para parte do seu trabalho.
home-deny = Você está sem acesso para trabalhar fora do escritório no momento.
home-no-device = Você ainda está sem acesso: não conhecemos nenhum dispositivo seu.
home-on-leave = Você está em licença. Nada espera por você.
home-lead-no-device = Adicione o dispositivo em que você trabalha, e o acesso é liberado assim que ele estiver em dia.
home-lead-nothing = Tudo está aberto para você. Nada à espera.
home-lead-by = Tudo está aberto para você. Uma coisa precisa ser feita até { $time }.
home-lead-open = Tudo está aberto para você. Há algo que você pode fazer, quando for melhor para você.
home-lead-limit = Parte do trabalho fica bloqueada até uma coisa ser feita.
home-lead-deny = Uma coisa libera tudo de novo. Ela está abaixo, com o jeito de fazer.
home-next = A próxima coisa a fazer
home-nothing = Nada a fazer
home-nothing-why = Quando algo está à espera, aparece aqui primeiro, com o jeito de fazer.
home-coming = A seguir
home-more = Mais { $n } nas páginas dos dispositivos
home-devices = Seus dispositivos
home-devices-short = Dispositivos
home-devices-none = Os dispositivos em que você trabalha aparecem aqui.
home-rules = Regras que valem para você
home-rules-why = { $n } regras valem para os dispositivos em que você trabalha. Cada uma diz por quê.
home-rules-all = Ler as regras
home-looks = { $people ->
    [0] Em { $month }, ninguém consultou seus dados.
    [one] Em { $month }, uma pessoa consultou seus dados e disse por quê.
   *[other] Em { $month }, { $people } pessoas consultaram seus dados, e cada uma disse por quê.
  }
home-record = Ver tudo, e quem consultou
show-me-how = Mostrar como
why-we-ask = Por que pedimos
device-not-heard = Ainda sem contato
device-waits = { $n ->
    [0] Nada à espera
    [one] 1 coisa para ver
   *[other] { $n } coisas para ver
  }
device-checked = Verificado { $ago }
add-title = Adicione seu primeiro dispositivo
add-ask = Peça um código de cadastro à sua coordenação de teletrabalho.
add-ask-whom = Ou seja: { $names }.
add-install = No dispositivo, com o Stead instalado, digite
add-code = CÓDIGO
add-look = Para ver o que ele encontra, antes ou depois, digite
thing-was-by = O prazo era { $time }.
thing-by = Até { $time }.
thing-first-device = Adicione o dispositivo em que você trabalha
thing-first-device-why = Até lá, nada está aberto para você fora do escritório.
thing-silent = “{ $device }” está sem contato há muito tempo
thing-silent-why = Ligue-o e conecte-o. Se você não o usa mais, avise sua coordenação de teletrabalho.
thing-return = Devolva “{ $device }”
thing-return-why = É da organização.
thing-passkey = Adicione uma chave de acesso
thing-passkey-why = Entrar fica mais rápido, e ninguém consegue tirá-la de você na conversa.
thing-attest = Confirme sua equipe: { $unit }
thing-attest-why = Uma vez por mês, em cerca de dez minutos: todas as pessoas e coisas estão como deveriam?
thing-finding-due = Em “{ $device }”. Depois do prazo, parte do trabalho fica bloqueada até isso ser feito.
thing-finding-late = Em “{ $device }”. Parte do trabalho fica bloqueada até isso ser feito.
thing-finding-unknown = Em “{ $device }”. Não foi possível saber, e isso conta como não feito.
thing-finding-advice = Em “{ $device }”. Recomendação; não bloqueia nada.

# O que sabemos sobre você
record-headline = { $n ->
    [0] Não guardamos nada sobre você e seus dispositivos.
    [one] Guardamos { $n } informação sobre você e seus dispositivos.
   *[other] Guardamos { $n } informações sobre você e seus dispositivos.
  }
record-lead = Isto é tudo: o que é, para que serve e por quanto tempo é guardado. Ninguém vê mais disso do que você.
record-export = O mesmo para programas (JSON)
record-print = Tudo, para imprimir (PDF)
print-away = Não é possível gerar o documento agora. O que guardamos sobre você está nesta página e no arquivo para programas. Tente de novo em um minuto.
print-made = { $name }, { $time }
print-fact = O que é
print-says = O que diz
print-nothing = Nada.
record-looks = Quem consultou, e por quê
record-looks-none = Ninguém consultou estes dados.
record-looks-year = { $n ->
    [0] Em um ano, nenhuma consulta.
    [one] Em um ano, uma consulta por uma pessoa.
   *[other] Em um ano, { $n } consultas. Pessoas que consultaram: { $people }.
  }
record-who = Quem
record-when = Quando
record-what-for = Para quê
record-entry = Entrada no registro
record-purpose = Para quê:
record-kept = Guardado:
record-directory = Você, como está no cadastro de pessoas
record-directory-purpose = Para saber quem você é, quem responde por você e o que você pode fazer.
record-directory-kept = Enquanto você trabalha aqui e um ano depois do seu último dia. Então é apagado.
record-ways = Como você entra
record-ways-purpose = Para deixar você entrar, e mais ninguém. Os segredos são guardados de um jeito que não conseguimos ler.
record-ways-kept = Até você remover ou sair. Sessões terminam em um dia no máximo e são esquecidas depois de trinta.
record-passkey = Chave de acesso
record-password = Senha, definida em
record-authenticator = Autenticador, desde
record-recovery = Códigos de recuperação restantes
record-outside = Conta externa
record-session = Sessão
record-device = Seu dispositivo “{ $device }”
record-device-purpose = Para avaliar se é seguro trabalhar no dispositivo. Ele não envia nada que não esteja listado aqui.
record-device-kept = O último relatório inteiro, até um ano depois do seu último dia; dos anteriores, só como a situação mudou.
record-device-name = Como ele se chama
record-device-enrolled = Cadastrado
record-device-revoked = Não é mais aceito desde
record-device-heard = Último contato
record-device-standing = Situação
record-device-certificate = Certificado para conexões
record-device-certificate-until = válido até { $time }
record-device-tunnel = Endereço e chave pública no túnel “{ $tunnel }”
record-device-changed = Situação mudou em
record-attested = O que foi dito sobre você a cada mês
record-attested-purpose = Quem responde por você confirma uma vez por mês que tudo está como deveria.
record-attested-kept = Enquanto você trabalha aqui e um ano depois do seu último dia. Então as palavras são apagadas.
record-ledger = No registro
record-ledger-why = O registro identifica você só por este número. O que ele comprova sobre você não tem nome, nem endereço, nem conteúdo.
device-owner = De quem é
device-owner-us = Da organização
device-owner-you = Seu
device-owner-person = Da pessoa

# Equipe
team-headline = { $n ->
    [0] Não há ninguém nesta equipe.
    [one] { $open } de { $n } pessoa com acesso a tudo.
   *[other] { $open } de { $n } pessoas com acesso a tudo.
  }
team-lead = { $unit }: quem tem acesso a quê, pela situação dos seus dispositivos. Ao abrir um nome, perguntamos para quê.
team-attest-due = A revisão mensal da sua equipe deve ser feita até { $time }.
team-attest = Fazer agora
team-attested = Você fez a revisão da sua equipe em { $date }. A próxima vem com o próximo mês.
team-caption = Pessoas da equipe e o que está aberto para elas
team-person = Pessoa
team-waits = À espera
team-nobody = Ainda não há ninguém nesta unidade.
team-below = Unidades abaixo
attest-title = Revisão mensal
attest-headline = { $unit }, { $month }: tudo está como deveria?
attest-lead = Para cada pessoa: ela ainda trabalha fora do escritório, nestes dispositivos, e você não notou nada que peça um olhar mais atento?
attest-right = Está como deveria
attest-look = Pede um olhar mais atento
attest-words = O que você notou
attest-no-device = Nenhum dispositivo
attest-answer = Escolha uma das duas respostas para cada pessoa.
attest-say = Diga em poucas palavras o que pede um olhar mais atento.
attest-press = Confirmar
attest-proof = Isto fica registrado com o seu nome. Cada pessoa lê o que você disse sobre ela.
attest-later = { $n ->
    [one] Depois destas vem mais uma pessoa.
   *[other] Depois destas vêm mais { $n } pessoas.
  }
attest-nobody = Todos já foram vistos este mês.
attest-many = Envie no máximo 200 respostas de uma vez.

# Cadastro de pessoas
people-headline = { $n ->
    [0] Nenhuma pessoa em { $unit }
    [one] { $n } pessoa em { $unit }
   *[other] { $n } pessoas em { $unit }
  }
people-words = Nome, endereço ou matrícula
people-here = Quem está aqui
people-none = Ninguém corresponde a isso.
people-caption = Pessoas por nome
people-count = { $n ->
    [0] Nenhuma pessoa
    [one] { $n } pessoa
   *[other] { $n } pessoas
  }
person-new = Adicionar uma pessoa
person-new-lead = No início, ela fica com convite. Depois você envia um link com que ela escolhe como entrar.
person-add = Adicionar
person-change = Alterar o que é guardado sobre { $name }
person-seen = { $name } vê que você abriu isto, quando e para quê.
person-open = O que está aberto para a pessoa
person-no-device = Nenhum dispositivo está cadastrado para a pessoa.
person-code = Dar um código de cadastro
person-state = Entrada e saída
person-invite = Criar um link de convite
person-reset = Criar um link para configurar o acesso de novo
person-becomes = Nova situação
last-day-hint = Para quem está de saída. O acesso termina sozinho no fim desse dia.
last-day-missing = Diga qual é o último dia.
last-day-past = Esse dia já passou. Escolha um posterior, ou escolha que a pessoa saiu.
last-day-unreadable = Isto não é uma data. Escreva como 2026-12-31.
told-link = Entregue este link à pessoa. Ele funciona uma vez e só é mostrado agora.
told-code = Entregue este código à pessoa. Ele cadastra um dispositivo em até três dias e só é mostrado agora.
returned = Foi devolvido
leaving-title = Saída: o que volta e o que termina
clear-out-return = Devolver “{ $device }”
clear-out-revoke = “{ $device }” não é mais aceito
clear-out-access = O acesso termina
clear-out-role = A função { $role } em { $unit } termina
roles-headline = O que é confiado a { $name }
roles-lead = Uma função vale para uma unidade e tudo abaixo dela. Fica suspensa enquanto a pessoa está em licença.
roles-none = Nenhuma função. Cada pessoa vê e faz o que é dela.
roles-unit-hint = A função vale aqui e em todas as unidades abaixo.
roles-give = Dar esta função
operator-last = Mais ninguém opera esta instalação. Dê a função a outra pessoa antes.
units-title = Unidades
units-lead = A árvore da organização. Funções valem para uma unidade e tudo abaixo dela.
units-count = { $n ->
    [one] { $n } unidade
   *[other] { $n } unidades
  }
unit-new = Adicionar uma unidade
unit-add = Adicionar
unit-above = Abaixo de
unit-taken = Já há uma unidade com este nome ali.
unit-named = A política em vigor introduz regras em uma unidade com este nome. Publique uma versão que não o faça e depois mude o nome.
unit-in-itself = Uma unidade não pode ficar abaixo de si mesma.
unit-name-wrong = Um nome tem letras e não tem barra.
import-title = Trazer pessoas de um arquivo
import-lead = Primeiro você vê o que mudaria, linha por linha. Nada muda antes de você confirmar.
import-file = Arquivo
import-file-hint = Valores separados por vírgula, 4 MB no máximo. Planilhas salvam isso como CSV.
import-paste = Ou cole aqui
import-preview = Mostrar o que mudaria
import-columns = A primeira linha dá o nome das colunas. “name” e “email” são necessárias; em “manager” vai o endereço de quem responde pela pessoa, em “unit”, o caminho da unidade.
import-headline = { $adds } a adicionar, { $changes } a alterar, { $wrong } de fora
import-nothing-yet = Nada mudou ainda.
import-units = Estas unidades seriam adicionadas: { $units }.
import-take = Fazer isto
import-caption = Linhas que mudam algo, ou que não podem ser aceitas
import-line = Linha
import-does = O que ela faz
import-adds = É adicionada, com convite
import-changes = Altera: { $fields }
import-nothing = Já está aqui
import-twice = O mesmo endereço está na linha { $line }. Tire uma das duas.
import-busy = Outro arquivo de pessoas está sendo lido agora. Tente de novo daqui a pouco.
import-large = O arquivo é grande demais. Envie no máximo 4 MB e 20.000 linhas.
import-unreadable = Não é possível ler isto como valores separados por vírgula. Salve como CSV em UTF-8.
import-heading = A primeira linha precisa ter as colunas “name” e “email”.
import-column = A coluna { $column } não é conhecida. Tire-a, ou mude o nome dela.
import-moved = Alguém alterou o cadastro de pessoas nesse meio-tempo. Veja de novo o que mudaria.

# Busca
search-title = Busca
search-for = Pessoas, dispositivos, regras
search-none = Nada do que você pode ver contém “{ $q }”.

# Sistema
system-title = Sistema
system-right = Tudo funciona como deveria.
system-wrong = Algo não funciona como deveria.
system-program = Programa
system-version = Versão
system-address = Endereço
system-passkeys-on = Podem ser usadas
system-operators = Operação
system-storage = Armazenamento
system-engine = Banco de dados
system-entries = { $n ->
    [one] { $n } entrada
   *[other] { $n } entradas
  }
system-root = Raiz
system-gate = O que está atrás do portão
system-behind = Atrás dele
system-takes = Exige
system-gate-state = O portão
system-gate-peers = { $n ->
    [one] um dispositivo dentro
   *[other] { $n } dispositivos dentro
}
system-gate-heard = perguntou { $time }
system-gate-silent = não perguntou a este servidor
system-jobs = O que ele faz sozinho
system-job = Tarefa
system-ran = Última execução
system-did = Última vez que fez algo
system-state = Como foi
system-well = Bem
job-identity = Guarda o checkpoint mais novo junto das chaves
job-database = Leva o log do SQLite para o arquivo principal
job-deadlines = Encerra prazos e percebe silêncios
job-anchor = Ancora os últimos relatórios, todos os dias
job-exceptions = Encerra exceções no seu minuto
job-cases = Leva os casos um passo adiante na hora certa
job-glass = Registra o que foi anotado no portão enquanto o armazenamento estava fora
job-retention = Esquece o que não é mais guardado
job-leaving = Encerra o acesso depois do último dia

# Dispositivo
device-of = { $device } de { $name }
device-system = Sistema
device-id = Identificador
device-findings = Resultados
device-findings-caption = Resultados deste dispositivo, os piores primeiro
device-nothing-judged = Nada foi avaliado ainda. No dispositivo, execute
device-no-finding = Nenhum resultado corresponde a isso.
device-revoked = Revogado: não é mais aceito.
device-enrolled-only = Cadastrado, e ainda sem contato. O primeiro relatório traz a resposta.
device-silent = Sem contato há tempo demais. Como estava antes não conta mais.
device-good = Tudo o que conta está como deveria.
device-lapsed = { $n ->
    [0] Nada passou do fim do prazo.
    [one] Uma coisa passou do fim do prazo.
   *[other] { $n } coisas passaram do fim do prazo.
  }
device-due = { $n ->
    [0] Nada precisa ser feito.
    [one] Uma coisa precisa ser feita, até { $time }.
   *[other] { $n } coisas precisam ser feitas, a primeira até { $time }.
  }
device-revoke = Revogar este dispositivo
device-revoke-why = Ele não é mais aceito e não abre nada. Para usá-lo de novo, é preciso cadastrá-lo de novo.
show-all = Todos
show-failing = Reprovados
show-unknown = Desconhecidos
show-passing = Aprovados
outcome = Resultado
rule = Regra
we-saw = O que vimos
since = Desde
why-and-how = Por que, e como corrigir
on-system = No { $system }
note-observe = Só fica registrado; não bloqueia nada.
note-advise = Recomendação; não bloqueia nada.
note-due = O trabalho “{ $tier }” fica bloqueado quando o prazo termina.
note-lapsed = O trabalho “{ $tier }” fica bloqueado até isso ser feito.
thirty-days = Trinta dias
strip-label = Situação em cada um dos últimos 30 dias; as mudanças estão na tabela abaixo
today = hoje
no-change = Ainda nenhuma mudança de situação.
changes-caption = Mudanças de situação em trinta dias, as mais recentes primeiro
sealed-report = Último relatório selado
signature-valid = Assinatura válida
signature-wrong = Assinatura não confere
received = Recebido
number = número
judged-by = Avaliado por
digest = Resumo (hash)
key = Chave
download-verify = Baixar para verificar sem conexão
checkpoint-of = Ponto de verificação com { $n } entradas

# Regras
rules-title = O que a política pede
rules-lead = Cada regra é uma página que você lê e pela qual o servidor avalia. Pacote { $pack }.
rules-count = { $n ->
    [one] { $n } regra
   *[other] { $n } regras
  }
rule-of = { $subject }: uma regra do pacote { $pack }.
rule-judges = Como o Stead avalia
rule-asks = Pede
rule-when = Quando
rule-otherwise = Caso contrário:
rule-grace = Prazo
rule-costs = Bloqueia
rule-costs-tier = Trabalho “{ $tier }”, quando a regra é exigida e o prazo passou
rule-harm = Dano
rule-protects = Protege
rule-controls = Controles
how-to-fix = Como corrigir
not-passing = Sem aprovação
stage = Etapa
stage-observe = Observada
stage-advise = Recomendada
stage-enforce = Exigida
comes-from = Vem de
harm-low = Um incômodo
harm-medium = Enfraquece outra medida
harm-high = Abre um caminho até os dados
harm-critical = Os dados estão abertos agora
serves-confidentiality = confidencialidade
serves-integrity = integridade
serves-availability = disponibilidade

# Visão geral
overview-fresh = Cada número tem no máximo 5 segundos.
overview-no-device = Nenhum dispositivo está cadastrado ainda.
overview-good = { $good } de { $all } dispositivos estão em dia.
overview-lapsed = { $n ->
    [0] Nenhum está vencido
    [one] Um está vencido
   *[other] { $n } estão vencidos
  }
overview-more = , { $n } a mais do que há uma semana
overview-fewer = , { $n } a menos do que há uma semana
overview-empty = Dê um código a uma pessoa e inicie o agente no computador dela. O primeiro relatório aparece aqui sozinho.
overview-standing-caption = Situação dos dispositivos agora
subject = Assunto
share = Proporção
day = Dia
overview-enforced = { $n } contam para a situação
overview-advised = { $n } são recomendadas à pessoa
overview-observed = { $n } só ficam registradas
overview-owner = Quem responde por ela
overview-review = { $owner }, revisão a cada { $length }
overview-trend = Que não estão em dia, por data
overview-trend-title = Dispositivos que não estão em dia, por data, de { $from } em { $first } a { $to } em { $last }
overview-serves = O que as regras protegem
overview-serves-caption = Proporção de resultados aprovados, pelo que as regras protegem
overview-serves-note = Proporção de resultados aprovados. Desconhecido conta como não aprovado.
overview-worst = Regras que mais falham
overview-none-judged = Nenhum dispositivo foi avaliado ainda. O que falhar aparece aqui.
overview-none-fails = Nenhuma regra falha. Isso é bom.
overview-entries = Todos os itens
in-seven-days = Em 7 dias

# Problems
problem-malformed = Não foi possível ler a mensagem.
problem-too-large = A mensagem é grande demais.
problem-wrong-media-type = A mensagem não é JSON.
problem-wrong-version = A mensagem tem uma versão que este servidor não conhece.
problem-bad-signature = A assinatura não confere com a chave do dispositivo.
problem-unknown-device = Este dispositivo não está cadastrado aqui.
problem-revoked-device = Este dispositivo foi revogado.
problem-lost-device = Este dispositivo foi dado como perdido.
problem-code-unknown = Este código de cadastro não foi dado aqui.
problem-code-used = Este código de cadastro já foi usado.
problem-code-expired = Este código de cadastro expirou.
problem-key-enrolled = Esta chave é de um dispositivo que já está cadastrado.
problem-old-sequence = Uma mensagem posterior deste dispositivo já foi guardada.
problem-sequence-fork = Outra mensagem com este número já foi guardada.
problem-clock-skew = O relógio do dispositivo está mais de dez minutos fora da hora.
problem-facts-needed = O servidor não tem estas informações; envie todas.
problem-not-found = Não há nada aqui.
problem-wrong-method = Isto não pode ser feito neste endereço.
problem-sign-in-needed = Você está sem sessão aberta.
problem-sign-in-failed = Não foi possível entrar.
problem-too-many = Houve tentativas demais.
problem-proof-needed = Isto pergunta mais uma vez quem você é.
problem-purpose-needed = Diga para que você precisa destes dados.
problem-invalid = Algo no que você enviou não está certo.
problem-conflict = Isto não combina com a situação atual.
problem-forbidden = Você não pode fazer isto.
problem-cross-site = Este pedido veio de outro site.
problem-unavailable = O servidor não pode fazer isto agora.
problem-internal = Algo deu errado do nosso lado.

# Facts
fact-device-kind = Se é um computador ou um celular
fact-device-owner = Se é da organização ou da pessoa, como anotado no cadastro do dispositivo
fact-device-os-system = O sistema operacional
fact-device-os-release = A versão do sistema operacional
fact-device-os-name = O nome que o sistema operacional dá a si mesmo
fact-device-volumes = Onde os discos fixos e a área de troca (swap) estão montados e se cada um está criptografado, nunca o que há neles
fact-device-firewall-denies-inbound = Se as conexões de fora são recusadas, salvo as permitidas
fact-device-firewall-by = Qual firewall faz isso
fact-device-screen-lock-after = Segundos sem uso até a tela se bloquear; 0 é nunca
fact-device-login-automatic = Se alguém entra sem senha quando ele inicia
fact-device-updates-security-pending = Quantas atualizações de segurança estão à espera, nunca quais
fact-device-updates-checked-at = Quando a lista de atualizações foi buscada pela última vez
fact-device-updates-automatic = Se as atualizações de segurança se instalam sozinhas
fact-device-antivirus-running = Se a proteção contra vírus está funcionando
fact-device-antivirus-product = Qual proteção contra vírus está funcionando
fact-device-antivirus-signatures-at = Quando a lista de vírus conhecidos dela foi renovada pela última vez
fact-device-remote-login-open = Se alguém consegue entrar pela rede
fact-device-doors = Quais programas aceitam conexões de outras máquinas, e em qual porta
fact-device-secure-boot = Se só sistemas assinados podem iniciar
fact-device-wifi-security = Como é criptografado o Wi-Fi em uso: open, wep, wpa, wpa2, wpa3 ou enterprise; nunca o nome dele
fact-device-place-kind = Como a pessoa chama o lugar em que o computador está: casa, escritório ou viagem, ou sem nome; nunca onde ele fica
fact-device-tunnel-carries-traffic = Se um túnel leva o que vai para a internet
fact-device-password-manager-present = Se há um gerenciador de senhas instalado, nunca o que está nele
fact-device-clock-synchronised = Se a rede mantém o relógio certo
fact-device-accounts-administrators = Quantas contas de pessoas têm direitos de administrador, nunca de quem são
fact-device-mail-foreign-accounts = Quantas contas de e-mail e de calendário não são da organização, nunca quais

# What people are told
foot-notices = Mensagens
notices-title = O que lhe foi dito
notices-lead = O que aconteceu com o que é seu, e como você quer saber.
notices-told = Dito a você
notices-none = Nada ainda. O que acontece com seus dispositivos, sua conta e seu registro é dito aqui primeiro.
notices-kept = Guardado por noventa dias.
notices-how = Como você quer saber
notices-ways = Por quais meios
notices-no-mail = O e-mail não está configurado aqui. Quem mantém esta instalação pode fazer isso.
notices-chat = Seu nome no chat
notices-chat-hint = Como em sam.exemplo, sem @. Vazio quer dizer que não.
topic-account = O que diz respeito a como você entra vem sempre na hora, também por e-mail: pode ser o único sinal de que não foi você.
topic-devices = Seus dispositivos
about-devices = Quando um deles deixa de cumprir as regras, não dá mais sinal ou volta a estar bem.
topic-tasks = O que espera por você
about-tasks = O que é para devolver ou confirmar, e os lembretes.
topic-record = Seu registro
about-record = Quando alguém o abre ou o altera.
soon-now = Na hora, várias juntas
soon-daily = Uma vez por dia, às oito
soon-weekly = Uma vez por semana, na segunda-feira
soon-never = Não enviar, só nesta página
channel-mail = E-mail
channel-desktop = No seu computador
channel-webhook = Webhook
channel-rocketchat = Rocket.Chat
channel-slack = Slack
chat-name-wrong = Um nome lá tem letras, algarismos, pontos, traços e sublinhados.
calendar-heading = Seus prazos no seu calendário
calendar-why = Seu calendário pode mostrar o que espera por você e até quando. Quem souber o endereço pode ler; guarde-o para si.
calendar-since = Tem endereço desde { $date }.
calendar-begin = Criar um endereço
calendar-anew = Criar outro endereço
calendar-end = Retirar o endereço
calendar-told = Dê este endereço ao seu calendário como assinatura. Ele é mostrado só desta vez.
calendar-name = Stead: o que espera por você
notice-authenticator-on = Um autenticador foi configurado na sua conta.
notice-authenticator-off = O autenticador foi retirado da sua conta.
notice-passkey-added = Uma chave de acesso foi acrescentada à sua conta.
notice-passkey-removed = Uma chave de acesso foi removida da sua conta.
notice-password-set = Sua senha foi definida.
notice-password-removed = Sua senha foi removida.
notice-outside-added = Uma conta externa foi ligada à sua.
notice-recovery-used = Um código de recuperação foi usado para entrar na sua conta.
notice-glass = Alguém entrou em { $application } em seu nome enquanto não se sabia se você podia.
notice-glass-of = { $name } entrou em { $application } enquanto não se sabia se podia.
notice-link-used = Alguém entrou na sua conta com um link.
notice-role-given = Você recebeu um papel: { $role }.
notice-role-taken = Um papel foi retirado de você: { $role }.
notice-device-enrolled = “{ $device }” foi registrado em seu nome.
notice-device-revoked = “{ $device }” foi revogado e não é mais ouvido.
notice-device-due = “{ $device }” tem algo a corrigir.
notice-device-lapsed = “{ $device }” não foi corrigido a tempo. Algumas portas ficam fechadas até lá.
notice-device-unknown = “{ $device }” não dá sinal há muito tempo.
notice-device-good = “{ $device }” cumpre a política de novo.
notice-deadline = “{ $device }” deve ser corrigido até { $due }.
notice-looked = { $by } abriu seu registro. O motivo está na sua página.
notice-changed = { $by } alterou seu registro.
notice-leaving = Seu último dia está marcado. O que deve voltar até { $due } está na sua página.
notice-return = Devolva “{ $device }” até { $due }.
notice-return-late = “{ $device }” deveria ter sido devolvido até { $due }.
notice-return-missing = { $name } não devolveu “{ $device }”.
notice-attest = Confirme sua equipe { $unit } até { $due }.
notice-attest-late = Sua equipe { $unit } deveria ter sido confirmada até { $due }.
notice-follow-up = { $n ->
    [one] Em { $unit }, uma pessoa precisa de um olhar mais atento.
   *[other] Em { $unit }, { $n } pessoas precisam de um olhar mais atento.
  }
mail-subject = { $n ->
    [one] Uma mensagem para você no Stead
   *[other] { $n } mensagens para você no Stead
  }
mail-subject-link = Seu link para o Stead
mail-hello = Olá, { $name },
mail-waiting = O que espera por você:
mail-see = Ver
mail-join = Você foi convidado para o Stead. Este link deixa você entrar uma vez, em até sete dias. Escolha então como entrar.
mail-reset = Este link deixa você entrar uma vez, em até uma hora, para configurar de novo como você entra. Se não foi você que pediu, avise quem coordena o teletrabalho.
mail-foot = O Stead escreveu isto sozinho. Como e com que frequência ele escreve para você é escolha sua, na página “Mensagens”.
told-mailed = Também seguiu por e-mail para o endereço da pessoa.

# How messages go out
messages-title = Mensagens
messages-right = As mensagens saem como devem.
messages-wrong = Algumas mensagens não puderam ser entregues.
messages-lead = Cada pessoa decide do que é avisada. Aqui está como o aviso chega, e o que não chegou.
messages-ways = Meios de saída
messages-not-set-up = Não configurado
messages-no-mail = Inicie o servidor com --mail-server e --mail-from.
messages-dead = Desistências
messages-dead-none = Não se desistiu de nada.
messages-waiting = A caminho
messages-way = Por
messages-since = Desde
messages-tries = Tentativas
messages-error = O que deu errado
messages-next = Próxima tentativa
messages-retry = Tentar de novo
messages-retry-all = Tentar tudo de novo
delivery-waiting = A caminho
delivery-sent = Chegaram em trinta dias
delivery-dead = Desistências
hooks = Outros sistemas
hooks-none = Nenhum outro sistema ouve o que acontece aqui.
hook-add = Ligar um sistema
hook-kind = O que é
hook-name = Nome
hook-name-hint = Como em: Sala da segurança.
hook-address = Endereço
hook-address-hint = Com https. Fica guardado sob selo e não é mostrado de novo.
hook-address-private = Este endereço é privado. A operação pode permitir endereços privados ao iniciar o servidor com --private-webhooks.
hook-address-wrong = Escreva um endereço completo que comece com https://.
hook-events = O que ele ouve
hook-events-none = Escolha o que ele ouve.
hook-people = Mensagens a pessoas, pelo nome que têm lá (Rocket.Chat)
hook-secret = As mensagens são assinadas com este segredo. Ele é mostrado só desta vez.
hook-test = Enviar um teste
hears-devices = Como estão os dispositivos
hears-people = Pessoas e unidades
hears-roles = Papéis
hears-access = Formas de entrar
chat-test = O Stead pode escrever aqui.
chat-events = { $n ->
    [one] Aconteceu uma coisa:
   *[other] Aconteceram { $n } coisas:
  }
system-messages = Como as mensagens saem
job-follow = Lê o que deve ser dito
job-chase = Lembra
job-gather = Reúne mensagens
job-deliver = Envia mensagens
event-authenticator-off = autenticador retirado
event-authenticator-on = autenticador configurado
event-clear-out-begun = saída iniciada
event-clear-out-returned = algo devolvido
event-device-enrolled = dispositivo registrado
event-device-revoked = dispositivo revogado
event-outside-identity-added = conta externa ligada
event-passkey-added = chave de acesso acrescentada
event-passkey-removed = chave de acesso removida
event-password-removed = senha removida
event-password-set = senha definida
event-people-imported = pessoas importadas
event-person-added = pessoa acrescentada
event-person-changed = pessoa alterada
event-person-erased = pessoa apagada
event-person-looked-at = registro aberto
event-person-state = mudança de situação
event-recovery-code-used = código de recuperação usado
event-role-given = papel dado
event-role-taken = papel retirado
event-session-begun = entrada
event-standing-changed = situação mudou
event-team-attested = equipe confirmada
event-unit-changed = unidade alterada
record-notices = Como você quer ser avisado
record-notices-purpose = Para dizer a você o que acontece com o que é seu, como você quer.
record-notices-kept = O que você escolheu, até sair. O que lhe foi dito, noventa dias.

# The API
limit-wrong = Peça de 1 a 200 de uma vez.
after-wrong = Use o que `next` disse, como está.
state-unknown = Não existe essa situação.
standing-wrong = Não existe essa situação de dispositivo.
search-short = Procure por pelo menos duas letras.
person-unknown = Não existe essa pessoa aqui.
moved = Leia de novo e envie sua alteração com a marca que ele tiver então.
notice-token-made = Um token foi criado para a sua conta.
event-token-made = token criado
tokens = Tokens para programas
tokens-lead = Um programa entra com um token, em seu nome, para o que você permitir e nada mais. Uma senha nova encerra todos.
tokens-none = Nenhum programa entra em seu nome.
tokens-doc = O que programas podem fazer
token-made = Este é o token. Ele é mostrado só desta vez.
token-new = Criar um token
token-name = Para que serve
token-name-hint = Como em: relatório mensal.
token-days = Por quanto tempo vale
token-days-n = { $n } dias
token-scopes = Para que vale
token-scopes-none = Escolha para que vale.
token-most = Você tem vinte tokens. Encerre um antes.
token-until = Até { $date }
token-used = usado { $ago }
token-unused = nunca usado
token-end = Encerrar
scope-read = Ler o que você pode ler
scope-own = Alterar o que é seu
scope-people = Acrescentar e alterar pessoas
scope-units = Alterar unidades
scope-roles = Dar e retirar papéis
scope-teams = Confirmar sua equipe
scope-devices = Registrar e revogar dispositivos
scope-system = Alterar a instalação
record-token = Token
problem-moved = Isto foi alterado depois que você leu.
problem-key-reused = Outro pedido foi enviado com esta chave.
problem-still-answering = O mesmo pedido está sendo respondido.

# How it was
then-title = Como estava
then-headline = Como estava em { $date }
then-lead = O que valia ao fim de um dia, pelo que foi registrado então. Os dias são os de UTC.
then-device-lead = O que valia ao fim deste dia, pelas entradas do registro que o provam.
then-day = Dia
then-day-wrong = Escolha um dia que já terminou.
then-no-device = Não havia dispositivo então.
then-entries = Entradas até então
then-proof = Quem guardou um ponto de controle daquele dia pode verificar que nada anterior foi alterado desde então.
then-rule = Regra
then-said = Ela disse
then-from = Desde
then-since = desde { $time }
then-not-judged = Ainda não tinha sido avaliado.

# Settings and backups
settings = Configurações
settings-how = As configurações são dadas ao servidor quando ele inicia, e valem até que inicie de novo.
setting-check-in = Os dispositivos se apresentam a cada
setting-apart = Mensagens à mesma pessoa têm um intervalo de
setting-proxy = Algo à frente faz o TLS
setting-backups = Cópias de segurança, quantas são guardadas
backups = Cópias de segurança
backup-last = Última cópia
backup-where = Onde
backup-size = Tamanho
backup-verified = Verificado nela
backup-not-verified = Escrita por pg_dump; verifique onde for restaurada.
backup-none = Nenhuma cópia foi feita.
backup-how = Inicie o servidor com --backup-dir para ter uma por dia, ou execute stead-server backup.
job-audit = Confere o registro desde a primeira entrada
job-backup = Faz cópias de segurança

mail-more = { $n ->
    [one] E mais uma coisa.
   *[other] E mais { $n } coisas.
  }
notice-calendar-begun = Seu calendário recebeu um endereço pelo qual outros podem lê-lo.
event-calendar-begun = endereço de calendário criado
program-link = Um programa não deixa entrar ninguém que tenha um papel, nem a própria pessoa. Faça isso na página.
program-link-mail = O link vai apenas para o endereço da pessoa, e não há endereço ou não há e-mail.
job-policy = Põe a política em vigor e avalia por ela
job-people = Avalia pessoas e a organização
policy-moved = Outra versão entrou em vigor enquanto você lia. Veja o que mudou e confirme essa.

# A política e suas versões.
menu-policy = A política
policy-title = A política
policy-lead = { $pack } vale para todos que trabalham fora do escritório. { $owner } responde por ela.
policy-since = Em vigor desde { $date }.
policy-stale = A revisão desta política está atrasada.
policy-own = Você já leu?
policy-first = Você ainda não confirmou esta política. Leia as regras abaixo; cada uma diz por quê e o que fazer.
policy-confirmed = Você confirmou este texto em { $time }.
policy-confirmed-earlier = Você confirmou { $pack } em { $date }. Isto mudou desde então:
policy-confirm = Li este texto
policy-confirm-proof = O seu nome e este texto exato vão para o registro. Confirmar não é consentir com mais nada.
policy-whole = Ler inteira, em uma página
policy-asks = O que ela pede
policy-by-installation = esta instalação
policy-unreadable = Esta versão foi escrita para um Stead anterior e não pode ser mostrada aqui regra por regra.
policy-says = Diga em uma ou duas frases o que muda, e por quê.
policy-far = Escolha um dia dentro de um ano.
policy-number = Já existe uma versão com este número ou um maior. Dê a esta um número mais alto em pack.toml.
policy-no-proposal = Esta proposta já não está aberta.
policy-changed = A política guardada não é a que consta do livro-razão. Alguém alterou o banco de dados: o acesso fica fechado para todos até que se restaure uma cópia de segurança.
policy-two = Quem publica uma versão é outra pessoa, não quem a escreveu.
policy-two-new = Quem publica uma versão são duas pessoas independentes. Você pode aprovar sete dias depois de receber sua função, e sete dias depois de você e quem a escreveu terem dado uma à outra uma função ou um link de acesso. Peça a outra pessoa ou espere.
policy-two-program = Quem aprova uma versão é uma pessoa, no navegador. Um token não pode.
policy-day = Escreva o dia como em 2026-12-31.
subject-device = Os seus dispositivos
subject-person = Você
subject-site = O lugar de onde você trabalha
subject-item = Papéis, mídias e documentos
subject-organisation = A organização
rule-waits = Nada registra isto aqui ainda. A regra é avaliada como desconhecida, é mostrada assim e não conta contra ninguém.
rule-waits-short = ainda não registrado
what-to-do = O que fazer
next-page = Próxima
change-added = Regra nova.
change-stricter = Pede mais.
change-changed = Pede outra coisa.
change-looser = Pede menos.
change-removed = Já não é pedida.
change-reworded = Diz o mesmo com outras palavras.
changed-field = { $name }: antes { $from }, agora { $to }.
changed-grace = Prazo para corrigir
changed-stage = Fase
changed-costs = Fecha, se não for corrigido
reach-title = Alcance
reach-lead = { $n } de { $all } confirmaram.
reach-due = Todos têm até { $date }.
reach-headline = { $percent } confirmaram { $pack }
reach-who = Quem falta
reach-missing = Quem não confirmou, e por quê
reach-nobody = Todos que trabalham aqui confirmaram.
reach-why = Por quê
reach-on-leave = Afastado
reach-no-address = Não tem endereço para ser avisado
reach-late = Foi avisado; o prazo acabou
reach-open = Foi avisado; ainda tem prazo
review-title = Revisão
review-due = A próxima revisão deve acontecer até { $date }.
review-add = Registrar uma revisão
review-took-part = Quem participou
review-considered = O que foi considerado
review-considered-hint = Resultados, perdas, exceções, novas leis, o que as pessoas disseram.
review-outcome-is = O que resultou
review-kept = Fica como está
review-changed = Deve mudar
review-words = O que deve ser feito
review-press = Registrar
review-say = Diga em poucas palavras.
review-outcome = Escolha uma das duas.
proposals-title = Propostas
proposals-none = Nada está proposto.
propose-title = Propor um pacote que acompanha o Stead
propose-lead = Um pacote próprio é proposto com `stead-server pack publish DIR`. O que tem erros, ou falha nos próprios testes, não é aceito.
propose-pack = Pacote
propose-says = O que muda, e por quê
propose-says-hint = Todos leem esta frase.
propose-day = Em vigor a partir de
propose-day-hint = Vazio: assim que outra pessoa aprovar.
propose-press = Propor
proposal-title = Proposta: { $pack }
proposal-by = Proposta por { $name } em { $time }.
proposal-changes = O que ela muda
proposal-decide = Decidir
proposal-approve = Publicar
proposal-withdraw = Recusar
versions-title = Versões
version-comes = Virá
version-in-force = Em vigor
version-coming = Em vigor a partir de { $date }.
version-since = Entrou em vigor em { $date }.
version-by = Escrita por { $author }, publicada por { $approver } em { $date }.
version-entry = Entrada { $n } do registro
version-changed = O que mudou depois de { $pack }
version-changed-nothing = Nenhuma regra mudou.
rules-how = Como é cumprida

notice-policy = { $pack } está em vigor. Veja o que mudou e confirme.
notice-proposal = Uma versão da política foi proposta: { $pack }. Quem a publica é outra pessoa, não quem a escreveu.
notice-confirm = Confirme a política { $pack } até { $due }.
notice-confirm-late = Você deveria ter confirmado a política { $pack } até { $due }.
notice-confirm-team = { $n ->
    [one] Uma pessoa da sua equipe não confirmou { $pack } no prazo.
   *[other] { $n } pessoas da sua equipe não confirmaram { $pack } no prazo.
  }
event-policy-in-force = política em vigor
event-policy-proposed = política proposta
event-policy-published = política publicada
event-policy-reviewed = política revista
record-judged = O que as regras sobre pessoas encontraram sobre você
record-judged-purpose = Para avaliar em que você pode trabalhar. Nada aqui mede como você trabalha.
record-judged-kept = Enquanto você trabalha aqui. Depois disso, e de resultados anteriores, o registro guarda só o resultado.
record-confirmed = Versões da política que você confirmou
record-confirmed-purpose = Para provar que a política chegou até você.
record-confirmed-kept = Enquanto existir a versão que você confirmou.
hears-policy = A política
rule-stands = Como está
rule-who-people = Quem são está no registro de cada pessoa, que se abre com um motivo.

try-title = E se
try-ask = E se ela estivesse em vigor agora?
try-headline = { $n ->
    [0] Nenhum dispositivo ficaria pior
    [one] Um dispositivo ficaria pior
   *[other] { $n } dispositivos ficariam piores
  }
try-lead = O que { $n } dispositivos informaram por último e o que os registros dizem de { $people } pessoas, avaliado por { $pack }. Quem confirmou a política em vigor conta como tendo confirmado esta. Nada foi alterado.
try-unread = { $n ->
    [one] Um último relatório não pôde ser lido.
   *[other] { $n } últimos relatórios não puderam ser lidos.
  }
try-file = Todos em um arquivo (CSV)
try-units = Como ficariam os dispositivos das unidades
try-due = Ficariam a fazer
try-lapsed = Venceriam na hora
try-good = Ficariam em dia
try-who = Quais, e a partir de quando
try-first = Os primeiros { $n }
try-device = Dispositivo
try-now = Agora
try-then = Depois
try-why = Regras
try-lapses = vence { $time }
policy-many = Há vinte propostas abertas. Decida algumas primeiro.
policy-busy = Não foi possível ler o pacote agora. Tente de novo em um minuto.
changed-pack = O pacote como um todo
changed-owner = Quem responde por ele
changed-review-every = Tempo entre revisões
changed-silent-after = Silêncio após o qual um dispositivo é desconhecido
changed-tiers = Níveis
changed-data = Tabelas
changed-severity = Dano
changed-asks = O que é avaliado
changed-when = Quando diz respeito a alguém
changed-controls = Controles
changed-requirements = Vem de
version-never = Nunca entrou em vigor: uma versão posterior entrou antes do seu dia.

# Exceções, casos, termos de uma só pessoa.

menu-cases = Casos
hears-fairness = Casos, exceções e termos
exceptions-title = Exceções
exceptions-headline = { $n ->
    [0] Nenhuma exceção vale agora
    [one] Uma exceção vale agora
   *[other] { $n } exceções valem agora
  }
exceptions-lead = Uma exceção permite que alguém não cumpra uma regra até um momento certo, com outra coisa feita no lugar. Termina sozinha; para continuar é preciso pedir de novo.
exceptions-waiting = Exceções que esperam uma decisão
exceptions-hold = Em vigor
exceptions-past = Encerradas
exceptions-none = Não há nenhuma.
exception-asked = Em espera
exception-granted = Em vigor
exception-refused = Não concedida
exception-withdrawn = Retirada
exception-ended = Encerrada
exception-for = Para
exception-asked-at = Pedida
exception-decided-at = Decidida
exception-ended-at = Encerrada
exception-until = Até
exception-state = Situação
exception-ask-title = Pedir uma exceção
exception-ask-headline = Pedir uma exceção: { $rule }
exception-ask-lead = Se você não consegue cumprir esta regra por um tempo, diga por quê e o que faz no lugar. Quem responde por isso decide; você vê quem é e o que diz.
exception-ask-lead-for = Você pede para { $name }, que vê o que você escreve e o que for decidido.
exception-device-which = Em qual dispositivo
exception-reason = Por que a regra não pode ser cumprida
exception-reason-hint = O que impede, de modo que outra pessoa entenda.
exception-instead = O que é feito no lugar
exception-instead-hint = Por exemplo: o dispositivo fica no escritório, ou só guarda o que é público.
exception-until-hint = { $n ->
    [one] No máximo um dia a partir de agora. Vale até o fim do dia.
   *[other] No máximo { $n } dias a partir de agora. Vale até o fim do dia.
  }
exception-press = Pedir
exception-headline = Exceção: { $rule }
exception-nobody = Não há quem possa decidir isto. Quem dá papéis precisa nomear alguém.
exception-decides = Espera uma decisão. Uma destas pessoas pode decidir: { $names }.
exception-holds = A regra conta como cumprida até { $time }. A partir desse minuto volta a contar.
exception-what = O que foi pedido
exception-renews = Continua
exception-before = A exceção anterior
exception-decide = Decidir
exception-decide-lead = Quem pediu e a pessoa para quem é leem o que você escreve. Você pode dar menos tempo do que foi pedido.
exception-sooner = Até, se for antes
exception-sooner-hint = Deixe vazio para dar o tempo pedido.
exception-words = Por quê
exception-words-hint = Pelo menos uma frase.
exception-grant = Conceder a exceção
exception-refuse = Não conceder
exception-more = Mais
exception-take-back = Retirar o pedido
exception-end-now = Encerrar agora
exception-go-on = Pedir para continuar
exception-means = O que significa
exception-means-words = Enquanto vale, a regra aparece como excetuada onde quer que apareça, e não fecha nada. Que foi pedida, concedida e encerrada está no registro; os motivos não.
exception-say = Escreva pelo menos uma frase.
exception-past = Escolha um dia que ainda virá.
exception-long = { $days ->
    [one] Escolha um dia dentro de um dia a partir de agora.
   *[other] Escolha um dia dentro de { $days } dias a partir de agora.
  }
exception-rule = Escolha uma regra sobre dispositivos ou pessoas que esteja em vigor.
exception-device = Escolha um dos dispositivos da pessoa.
exception-waits = Já há uma para a mesma regra à espera de decisão.
exception-not-yours = Cabe a outra pessoa decidir isto.
exception-two = Ninguém decide sobre uma exceção para si, nem sobre uma que pediu.
exception-decided = Já foi decidida.
exception-over = Já está encerrada.

cases-title = Casos
cases-lead = Quando uma regra não é cumprida e o prazo acabou, segue um caso: você sabe primeiro, depois fecha o que a regra custa, depois seu gestor sabe, depois alguém nomeado decide. Só pessoas decidem, e você é ouvido antes.
cases-decide = Espera a sua decisão
cases-own = Sobre você
cases-own-none = Não há nem houve caso sobre você.
cases-others = Abertos, de outras pessoas
cases-closed = Encerrados há pouco
case-whom = Sobre
case-opened = Aberto
case-goes-on = Continua
case-state = Situação
case-mended-since = cumprida de novo entretanto
case-headline = Não cumprida: { $rule }
case-told = A pessoa foi avisada
case-manager = O gestor sabe
case-decision = Espera uma decisão
case-answer = Espera uma resposta
case-answered = Respondido, espera uma decisão
case-decided = Decidido, cabe recurso
case-appeal = Em recurso
case-track = Até onde chegou
case-step-told = Avisada
case-step-manager = Gestor avisado
case-step-decision = Alguém decide
case-step-answer = Medida aberta
case-step-decided = Decidido
case-step-closed = Encerrado
case-next-told = A pessoa foi avisada. O gestor saberá em { $time }, a não ser que a regra esteja cumprida até lá.
case-next-told-own = Resolva e o caso termina. Se continuar assim em { $time }, seu gestor saberá.
case-next-manager = Em { $time } pede-se a alguém que decida, a não ser que a regra esteja cumprida até lá.
case-next-manager-own = Seu gestor foi avisado. Resolva e o caso termina; se continuar assim em { $time }, pede-se a alguém que decida.
case-next-decision = Alguém nomeado decide se é aberta uma medida disciplinar.
case-next-decision-own = Alguém nomeado decide o que segue. Resolva e o caso termina; diga o que há a dizer, e será lido.
case-next-answer = Há uma medida disciplinar aberta. A pessoa pode responder até { $time }.
case-next-answer-own = Há uma medida disciplinar aberta sobre você. Responda até { $time }; nada é decidido antes.
case-next-answered = A pessoa foi ouvida, ou o prazo acabou. Quem abriu a medida decide.
case-next-answered-own = O que você disse está sendo lido. Quem abriu a medida decide, com motivos.
case-next-decided = Está decidido. A pessoa pode recorrer até { $time }.
case-next-decided-own = Está decidido. Você pode recorrer até { $time }; então outra pessoa olha de novo.
case-next-appeal = Outra pessoa olha de novo.
case-next-appeal-own = Outra pessoa olha de novo. Não pode ficar pior por isso.
case-next-closed = O caso está encerrado.
case-next-closed-own = O caso está encerrado. O que se guarda dele, você vê aqui.
case-mended-note = A regra é cumprida de novo. Uma medida que foi aberta é encerrada por quem a abriu.
case-seen = O que foi visto
case-seen-why = Como estava quando o caso foi aberto. Não muda, e o registro guarda o resumo.
case-device = Dispositivo
case-read-at = Lido
case-failing = Não cumprida desde
case-time-over = O prazo acabou
case-report = Relatório selado
case-text = Texto em vigor
case-events = O que aconteceu
case-event-opened = Um caso foi aberto, e a pessoa avisada
case-event-limited = Fechado entretanto: { $tier }
case-event-manager = O gestor foi avisado
case-event-decision = Pediu-se a alguém que decida
case-event-taken = Alguém assumiu o caso
case-event-answer = A pessoa disse
case-event-answer-over = O prazo para responder acabou
case-event-step = Uma medida disciplinar foi aberta
case-event-dismissed = Nenhuma medida foi aberta
case-event-no-sanction = Terminou sem sanção
case-event-sanction = Uma sanção foi escolhida
case-event-appeal = A pessoa recorreu
case-event-upheld = A sanção fica
case-event-changed = Uma sanção mais leve tomou o lugar
case-event-lifted = A sanção foi retirada
case-event-mended = Cumprida de novo, ou deixou de existir
case-event-closed = Encerrado
case-outcome-mended = A regra é cumprida de novo
case-outcome-excepted = Uma exceção foi concedida
case-outcome-moot = A regra não vincula mais, ou o objeto não existe mais
case-outcome-left = A pessoa saiu
case-outcome-dismissed = Nenhuma medida foi aberta
case-outcome-no-sanction = Sem sanção
case-outcome-sanction = Sanção
case-outcome-upheld = Sanção mantida em recurso
case-outcome-changed = Sanção mais leve em recurso
case-outcome-lifted = Sanção retirada em recurso
case-mend = Resolver
case-mend-lead = A maioria dos casos termina aqui: cumpra a regra de novo e o caso se encerra, com aviso a todos que sabiam.
case-answer-title = Dizer o que há a dizer
case-answer-lead = Fica guardado com o caso, e quem decide lê.
case-answer-press = Enviar
case-appeal-title = Recorrer
case-appeal-lead = Diga o que deveria ser visto de outro modo. Alguém que não decidiu antes olha tudo de novo.
case-appeal-press = Recorrer
case-your-words = Suas palavras
case-words-hint = Pelo menos uma frase. Depois não pode ser mudado.
case-reasons = Seus motivos
case-decide = Decidir
case-decide-lead = Leia o que foi visto e o que foi dito. A pessoa lê os seus motivos.
case-dismiss = Não abrir medida, encerrar
case-open-step = Abrir uma medida disciplinar
case-sanction-which = Sanção
case-no-sanction = Terminar sem sanção
case-give-sanction = Escolher esta sanção
case-lift = Retirar a sanção
case-change = Escolher uma mais leve
case-uphold = Manter
case-take = Assumir
case-take-lead = Quando quem está nomeado não pode decidir, ou não deve.
case-take-why = Por que você assume
case-take-press = Assumir
case-who = Quem
case-decider = Decide
case-second = Decide o recurso
case-sanction = Sanção
case-rights = A pessoa pode falar a qualquer momento, vê tudo o que está aqui e pode recorrer do que for decidido. Ninguém decide sobre si mesmo nem sobre aqueles por quem responde.
case-say = Escreva pelo menos uma frase.
case-over = O caso está encerrado.
case-no-appeal = Não há do que recorrer, ou o prazo acabou.
case-not-yours = Outra pessoa está nomeada para decidir isto.
case-not-for-you = Você não pode decidir este: é sobre você, sobre alguém por quem responde, ou você já decidiu antes.
case-elsewhere = O caso avançou entretanto. Veja de novo.
case-decision-wrong = Escolha o que você decide.
case-sanction-wrong = Escolha uma sanção da escala da política.
case-milder = Em recurso só pode ser escolhida uma sanção mais leve.

terms-title = Termos só seus
terms-title-of = Termos só desta pessoa
terms-lead = Regras que vinculam só esta pessoa, além das que valem para todos. São avaliadas como qualquer outra.
terms-none = Nenhuma regra vincula só esta pessoa.
terms-which = Regra
terms-words = Por quê, ou onde foi combinado
terms-press = Vincular
terms-end = Liberar
terms-since = desde { $date }
terms-over = terminou em { $date }
term-rule = Escolha uma regra que exista para pessoas específicas.
term-say = Diga por quê, ou onde foi combinado.
term-there = Essa regra já vincula esta pessoa.
rule-named = Esta regra vincula só quem a tem nos próprios termos.
rule-staged = Implantada por etapas
rule-staged-all = Todos
rule-staged-from = a partir de { $date }
rule-staged-now = desde o início

notice-case = Um caso foi aberto, porque isto não foi resolvido a tempo: { $rule }. Veja o que foi visto e o que você pode fazer.
notice-case-manager = Seu gestor foi avisado de que isto ainda não foi resolvido: { $rule }.
notice-case-team = { $name } não resolveu isto a tempo: { $rule }. Conversem.
notice-case-decision = Pediu-se a alguém que decida o que segue: { $rule }. Diga o que há a dizer.
notice-case-decide = Um caso sobre { $name } espera a sua decisão: { $rule }.
notice-case-step = Uma medida disciplinar foi aberta sobre você: { $rule }. Leia e responda.
notice-case-decided = Um caso sobre você foi decidido: { $rule }. Leia os motivos; cabe recurso.
notice-case-mended = Isto é cumprido de novo, e consta no caso: { $rule }.
notice-case-closed = Um caso sobre você foi encerrado: { $rule }. Veja o resultado.
notice-case-over = Um caso sobre { $name } foi encerrado: { $rule }.
notice-case-answer = Seu prazo para responder a uma medida disciplinar termina { $due }.
notice-case-appeal = Seu prazo para recorrer termina { $due }.
notice-exception-asked = Uma exceção para { $name } espera uma decisão: { $rule }.
notice-exception-for-you = Uma exceção foi pedida para você: { $rule }.
notice-exception-granted = Sua exceção foi concedida: { $rule }.
notice-exception-refused = Sua exceção não foi concedida: { $rule }. Leia por quê.
notice-exception-ended = Sua exceção terminou: { $rule }. A regra volta a contar.
notice-exception-withdrawn = Sua exceção foi encerrada antes: { $rule }. A regra volta a contar.
notice-exception-ends = Uma exceção sua termina { $due }.
notice-term-bound = Uma regra agora vincula você pelo nome: { $rule }.
notice-term-released = Uma regra não vincula mais você pelo nome: { $rule }.

event-case-answered = respondeu
event-case-appealed = recorreu
event-case-closed = caso encerrado
event-case-decided = caso decidido
event-case-decision = decisão pedida
event-case-manager = gestor avisado
event-case-mended = cumprida de novo
event-case-opened = caso aberto
event-case-step = medida aberta
event-case-taken = caso assumido
event-exception-asked = exceção pedida
event-exception-ended = exceção encerrada
event-exception-granted = exceção concedida
event-exception-refused = exceção negada
event-exception-withdrawn = exceção retirada
event-term-bound = termo vinculado
event-term-released = termo liberado
record-fairness-purpose = Para que as regras sejam aplicadas com justiça, e se possa consultar o que vincula você, o que foi dispensado e o que foi decidido.
record-fairness-kept = Até um ano depois da sua saída; então as palavras são apagadas.
state-wrong = Não há tal situação.
questions-lead = Antes, perguntas curtas. As respostas estão na política; leve o tempo que precisar.
question-wrong = Não é isso que a política diz. Leia mais uma vez e escolha de novo.
question-open = Escolha uma resposta.
question-read = Está em: { $rule }
changed-exceptions = Exceções
changed-cases = Casos
changed-questions = Perguntas
changed-rollout = Implantação
changed-binds = Vincula
reports-title = Relatórios
reports-lead = O que se pode mostrar a uma diretoria, a um auditor ou a uma comissão de trabalhadores: números, com imagens, e ninguém pelo nome.
reports-all = Todos os relatórios
report-posture = Como estão os dispositivos
report-posture-what = Situação por unidade, e cada regra com quantos a cumprem.
report-posture-lead = { $n } de { $all } dispositivos estão em boa situação.
report-confirmations = A quem a política chegou
report-confirmations-what = Quantos confirmaram o texto em vigor, por unidade, e por que outros não.
report-exceptions = Exceções
report-exceptions-what = O que foi pedido e o que vale, por regra, com o seu fim.
report-exceptions-about = Para quem é uma exceção, e por que foi dada, está na própria exceção, que se abre para um fim.
report-cases = Casos e tratamento igual
report-cases-what = Como terminaram os casos do último ano, por unidade, sem apontar para ninguém.
report-cases-lead = Casos abertos no último ano: { $n }.
report-cases-about = Unidades com poucas pessoas contam com a que está acima, e um número menor que { $n } não é mostrado, para que ninguém possa ser identificado.
report-cases-open = Abertos
report-cases-mended = Resolvidos, excetuados ou sem objeto
report-cases-no-step = Sem medida ou sem sanção
report-cases-sanction = Sanção
report-appealed = Com recurso
report-outcomes = Como terminaram, e quanto demorou
report-outcome = Fim
report-took = Em média
report-few = menos de { $n }
report-about = cerca de { $n }
report-month = Um mês em números
report-month-what = Como estavam os dispositivos dia a dia, o que aconteceu, quais versões entraram em vigor.
report-month-lead = De { $from } a { $to }.
report-month-which = Mês que começa em
report-month-devices = Como estavam os dispositivos
report-month-events = O que aconteceu
report-month-events-about = Entradas do registro, por tipo.
report-by-unit = Por unidade
report-by-rule = Por regra
report-by-rule-about = A imagem mostra as quinze regras que mais gente não cumpre; a tabela tem todas.
report-made = Feito em { $time } sob { $pack }.
report-day = Dia
report-event = O quê
report-times = Quantas vezes
report-in-force = Em vigor desde
report-says = O que mudou
report-organisation = As regras da própria organização
report-people = Pessoas
report-confirmed = Confirmaram
report-missing = Faltam
report-left = Resta
report-id = Id
report-nothing = Não há nada a mostrar.
oscal-lead = A política com os seus controles, como é cumprida e o que está em aberto, como leem as ferramentas de auditores (OSCAL 1.1.3). Uma regra cujos fatos ainda nada registra não está satisfeita, e diz isso.
pack-unsigned = O pacote não está assinado por nenhuma chave permitida aqui. Foi recusado, e que chegou consta no registro.
pack-keys-title = Chaves que assinam pacotes
pack-keys-lead = Um pacote que vem de fora, com stead-server pack publish, é aceito quando uma destas chaves o assinou. O que quer que diga, outra pessoa ainda o publica.
pack-key-add = Permitir uma chave
pack-key-name = De quem é
pack-key-key = Chave pública
pack-key-hint = O que diz stead-server pack key ARQUIVO.
pack-key-press = Permitir
pack-key-end = Retirar
pack-key-wrong = Isso não é uma chave pública. Copie o que diz stead-server pack key ARQUIVO.
pack-key-there = Essa chave já é permitida.
pack-key-many = Vinte chaves são permitidas. Retire uma antes.
event-policy-refused = pacote recusado
event-policy-key-allowed = chave permitida
event-policy-key-removed = chave retirada
foot-stale = a revisão está atrasada
reach-bounced = O e-mail não chegou
policy-unit = Não há unidade { $unit } para implantar regras.
term-own = Outra pessoa escreve e encerra os seus termos.

## Rascunhos: a próxima versão, arquivo por arquivo

draft-title = Rascunho
draft-headline = Rascunho: { $pack }
draft-of = Rascunho que { $name } começou
draft-by = Começado por { $name } em { $time }. Mudado por último por { $by } em { $changed }.
draft-begin = Começar um rascunho
draft-begin-about = A partir da última versão publicada, com o próximo número. Nada vale até que duas pessoas o publiquem.
draft-behind = Outra versão foi publicada desde que este rascunho foi começado. Atualize-o antes de propor, para que nada dela se perca.
draft-catch-up = Atualizar
draft-amiss = O que impede a publicação
draft-amiss-n = { $n ->
    [one] uma coisa a corrigir
   *[other] { $n } coisas a corrigir
  }
draft-sound = Em ordem
draft-sound-about = Todos os arquivos podem ser lidos e cada regra passa em seus próprios testes.
draft-files = Seus arquivos
draft-beside = Mais arquivos
draft-state = Estado
draft-changed = Mudado
draft-new = Nova
draft-changes-later = Aparece quando todos os arquivos puderem ser lidos.
draft-propose = Propor
draft-propose-lead = Quem não escreveu nada dele autoriza a publicação.
draft-rule-add = Acrescentar uma regra
draft-rule-title = O que ela pede, como título
draft-rule-title-hint = Por exemplo: Sua tela se bloqueia sozinha
draft-rule-id = Seu nome curto
draft-rule-id-hint = Letras minúsculas, algarismos e hifens, como em screen-locks. Fica igual em todas as versões.
draft-rule-about = De que ela trata
draft-rule-press = Acrescentar
draft-rule-name = Escreva letras minúsculas, algarismos e hifens, começando por letra ou algarismo.
draft-rule-taken = Já existe uma regra com esse nome.
draft-rule-subject = Escolha de que a regra trata.
draft-discard = Descartar este rascunho
draft-discard-about = Ele sai da lista; o registro guarda que existiu.
draft-none = Este rascunho não está mais aberto. Foi proposto ou descartado.
draft-path = Um rascunho contém pack.toml, regras, testes e tabelas. Escolha um de seus arquivos.
draft-long = Aqui um arquivo pode ter até 256 KiB. Divida-o em vários.
draft-moved = Outra pessoa mudou isto enquanto isso. O que você escreveu continua abaixo: veja o que mudou e salve de novo.
draft-stays = Este arquivo não pode ser retirado: é a descrição do próprio pacote ou vem do pacote em que este se baseia.
draft-here = Neste arquivo
draft-here-good = Nada a corrigir
draft-line = Linha { $n }
draft-elsewhere = Em outros arquivos:
draft-preview = Como se lê
draft-saved = Salvo. Todos os que escrevem a política o veem no rascunho.
draft-save = Salvar
draft-save-mine = Salvar o que está abaixo
draft-as-saved = Voltar ao que está salvo
draft-met = Outra pessoa salvou este arquivo enquanto você escrevia
draft-met-about = Nada se perdeu: o dela está salvo e o seu está no campo abaixo. Traga para lá o que quiser do texto dela e salve.
draft-met-theirs = Salvo por outra pessoa
draft-met-yours = Escrito por você
draft-differs = Ao lado da versão em vigor
draft-in-force = Em vigor
draft-earlier = O que dizia antes
draft-taken-out = retirado
draft-remove = Retirar este arquivo
draft-remove-about = Com uma regra saem suas traduções e testes.
catch-up-title = Atualizar com a última versão publicada
catch-up-lead = { $pack } foi publicada desde que este rascunho foi começado. O que só ela mudou é trazido como está. Onde ambos mudaram um arquivo, você diz como ele deve ficar.
catch-up-taken = Trazidos como estão
catch-up-both = Ambos mudaram este arquivo: à esquerda o que foi publicado, à direita o rascunho.
catch-up-text = Como deve ficar
catch-up-hint = Vazio retira o arquivo.
catch-up-press = Atualizar
proposal-reopen = Fazer dela um rascunho de novo

## O que está por vir

agenda-title = Calendário
agenda-lead = Quando cada regra será revista, que versões entram em vigor e que regras começam a contar.
agenda-nothing-late = Nenhuma revisão está atrasada
agenda-late-n = { $n ->
    [one] Uma revisão está atrasada
   *[other] { $n } revisões estão atrasadas
  }
agenda-overdue = Atrasadas
agenda-late = desde { $date }
agenda-empty = Nada está por vir.
agenda-owners = Quem responde pelo quê
agenda-owner = { $n ->
    [one] Uma regra:
   *[other] { $n } regras:
  }
agenda-every = A cada { $every }
agenda-review-rule = Revisão: { $rule }
agenda-review-whole = Revisão de toda a { $pack }
agenda-review-last = { $owner }, a cada { $every }. A última em { $date }.
agenda-review-never = { $owner }, a cada { $every }. Não revista desde que é pedida.
agenda-version = { $pack } entra em vigor
agenda-step = { $rule }: { $stage }
month-of = { $month } de { $year }
review-what = O que foi revisto
review-whole = Toda a política
review-rule = Não há essa regra na versão em vigor.
try-units-people = Como ficariam as pessoas das unidades
try-progress = { $n } de { $all } julgados
try-waiting = Tudo o que foi relatado por último está sendo julgado de novo. Nada muda com isso. Você pode sair desta página; a resposta fica guardada por dez minutos.
try-look-again = Ver de novo
try-wait = Ainda não terminou. Espere pela página e depois baixe o arquivo.
event-policy-drafted = rascunho da política começado
event-policy-draft-changed = rascunho da política mudado
event-policy-reopened = proposta voltou a ser rascunho
proposal-moved = Esta proposta foi mudada depois que você a abriu. Leia-a de novo e decida.
proposal-behind = Outra versão foi publicada desde esta proposta, que não a conhece. Faça dela um rascunho de novo e atualize-a, ou proponha outra vez.
texts-cut = Só aparecem as primeiras linhas que diferem.
draft-gone-title = Este rascunho não está mais aberto
draft-gone = Ele foi proposto ou descartado enquanto você escrevia, e isto não foi salvo. Seu texto está abaixo: copie o que quiser guardar.

# The gate.
gate-this-computer = Este computador
gate-no-device = Não conhecemos este computador
gate-no-device-lead = O que você pediu só abre em um computador cadastrado. É assim que o seu passa a ser um.
gate-no-device-then = Deixe o agente em execução e volte aqui
gate-no-answer = Este computador não respondeu
gate-no-answer-lead = Perguntamos que computador é este, e nada respondeu. O que você pediu abre nestes:
gate-no-answer-if = Se você está em um deles, o agente pode não estar em execução. Ele é iniciado com o computador; isto mostra como está:
gate-ask-again = Perguntar de novo
gate-ticket = Esta entrada já foi usada, expirou ou foi iniciada em outro navegador. Abra o aplicativo de novo.
gate-why-not-known = No momento não sabemos dizer se isto está aberto para você
gate-next-not-known = A falha é nossa, não do seu computador. Verifique de novo em um minuto.
gate-why-not-working = Sua conta não abre nada no momento
gate-next-not-working = Você está de licença, ou seu trabalho aqui terminou. Se não for assim, fale com a coordenação de teletrabalho.
gate-why-no-device = Este computador não está mais cadastrado
gate-next-no-device = Cadastre-o de novo com um novo código da coordenação de teletrabalho.
gate-why-not-theirs = Este computador está cadastrado para outra pessoa
gate-next-not-theirs = Use o seu, ou peça que este seja cadastrado para você.
gate-why-revoked = “{ $device }” foi excluído
gate-next-revoked = Ele não abre mais nada. Se for engano, fale com a coordenação de teletrabalho.
gate-why-no-certificate = Esta conexão não mostrou que vem de “{ $device }”
gate-next-no-certificate = Execute “stead certificate” neste computador e faça o navegador usar o que ele cria, ou use o navegador que sua organização preparou. A coordenação de teletrabalho sabe como.
gate-why-not-judged = “{ $device }” ainda não disse como está
gate-next-not-judged = Inicie o agente, ou verifique de novo: ele diz como está em segundos.
gate-why-silent = “{ $device }” não dá notícias desde { $time }
gate-next-silent = Inicie o agente, ou verifique de novo: ele é ouvido em segundos.
gate-why-device-rule = Fechado em “{ $device }” até que isto seja feito: { $asks }
gate-next-device-rule = Você mesmo pode corrigir, e abre sozinho assim que estiver feito.
gate-why-person-rule = Fechado até que isto seja feito: { $asks }
gate-next-person-rule = Abre sozinho assim que estiver feito.
glass-title = Não se sabe se isto está aberto para você
glass-lead = O que não sabemos mantém { $application } fechado: o seu computador não foi ouvido, ou não conseguimos verificar agora. Inicie o agente e olhe de novo; isso não exige a palavra de ninguém.
glass-break = Entrar mesmo assim
glass-break-lead = A política nomeia você como uma das duas pessoas que podem. Fica registrado com o seu nome antes de você entrar, a segurança é avisada, e termina após { $lasts }.
glass-why = Por que agora?
glass-outage = Algo está fora do ar, e eu conserto
glass-deadline = Termina hoje algo de que outros precisam
glass-safety = A segurança de alguém
glass-other = Outra coisa, que vou explicar
glass-in = Registrar e entrar
glass-not-you = Só as duas pessoas que a política nomeia entram assim, em um computador que era conhecido quando entraram, e não contra algo que se sabe.
glass-reason-wanted = Diga por quê, depois entre.
gate-look-title = Corrija e deixe-nos verificar de novo
gate-look-lead = Leva alguns segundos. Se tudo estiver bem, você segue direto para { $application }.
gate-look = Verificar de novo
gate-found = O que encontramos
gate-tier = O que exige
gate-other = Outro caminho
gate-exception-why = Alguém decide, e pode abrir até o dia que for indicado.
gate-help-title = Obter ajuda
gate-help = Fale com { $names }.
gate-help-none = Fale com a coordenação de teletrabalho.
gate-also = Também
sign-in-on = Você entrou
sign-in-on-link = Seguir para o que você pediu

# Perdas
menu-losses = Perdas
loss-report = Comunicar uma perda
loss-practise = Treinar como comunicar uma perda
loss-practise-again = Treinar de novo
loss-report-lead = Escolha o que é e aperte. Tudo o que aquilo abria é fechado na hora. Você pode desfazer quando tiver de volta.
loss-report-for = Para { $name }. Tudo o que aquilo abria é fechado na hora.
loss-practice-note = Isto é um treino.
loss-practice-why = Nada é fechado, e ninguém mais é avisado. Faça uma vez, para que seja fácil quando valer.
loss-ask-what = O que sumiu?
loss-what = Escolha o que sumiu; para um pen drive, papéis ou outra coisa, diga qual.
loss-ask-label = Qual
loss-ask-label-hint = Para um pen drive, papéis ou outra coisa: algumas palavras que o identifiquem.
loss-ask-how = O que aconteceu?
loss-lost = Não encontro
loss-stolen = Alguém levou
loss-ask-noticed = Quando você notou?
loss-noticed-now = Agora mesmo
loss-noticed-hour = Na última hora
loss-noticed-today = Mais cedo, hoje
loss-noticed-yesterday = Ontem
loss-noticed-longer = Há mais tempo
loss-ask-words = Onde e como
loss-ask-words-hint = Se você souber. Não espere para escrever: dá para acrescentar depois.
loss-press = Fechar agora
loss-press-practice = Fechar (treino)
loss-undo = Você continua conectado aqui e sai de todos os outros lugares.
loss-undo-practice = Nada acontece além de você ver quanto tempo levou.
loss-call = Ou ligue para { $number }, dia e noite.
loss-code-lead = Digite o código do seu cartão de carteira. Ele não abre nada além disto.
loss-code = Código do cartão
loss-code-hint = Onze caracteres, como 7K2MQ-9XD4R. Maiúsculas ou minúsculas, tanto faz.
loss-code-wrong = Nenhum cartão tem este código. Olhe de novo ou entre com a sua conta.
loss-no-card = Sem o cartão por perto?
loss-sign-in = Entrar com a conta
loss-shut = { $thing }: acesso fechado
loss-practised = Você treinou com { $thing }
loss-receipt-lead = Nada nosso abre mais com isso. A segurança foi avisada.
loss-receipt-thing = Está registrado, e a segurança foi avisada.
loss-next = Continue procurando. Quando tiver de volta, deixe desligado até que o acesso seja reaberto na página: ligado, ele se bloqueia e esquece as chaves.
loss-next-stolen = Registre também na polícia e guarde o número. Se voltar, deixe desligado até que o acesso seja reaberto na página.
loss-go-on-signed-in = Entrar para todo o resto
loss-number = Número
losses-title = Perdas
losses-lead = Primeiro se fecha o acesso do que sumiu; o resto tem seus passos, suas pessoas e seus prazos. Ninguém é culpado por perder algo.
losses-open = Abertas
losses-open-none = Nada está perdido no momento.
losses-own = Suas
losses-own-none = Nada seu está perdido, nem esteve.
losses-closed = Encerradas há pouco
loss-state-open = Perdido
loss-state-found = Achado, ainda fechado
loss-state-mistaken = Alarme falso
loss-state-back = Reaberto
loss-state-closed = Encerrada
loss-state-practice = Treino
loss-headline = { $thing }: perdido
loss-headline-stolen = { $thing }: levado por alguém
loss-headline-of = { $thing }, de { $name }
loss-lead-practice = Foi um treino: nada foi fechado, e ninguém mais foi avisado.
loss-lead-open = { $n ->
    [0] Comunicado assim que notado. Nada nosso abre mais com isso.
    [one] Comunicado um minuto depois de notado. Nada nosso abre mais com isso.
   *[other] Comunicado { $n } minutos depois de notado. Nada nosso abre mais com isso.
}
loss-lead-open-own = Nada nosso abre mais com isso. A segurança foi avisada e segue daqui; o que resta para você está abaixo.
loss-lead-found = Foi achado e continua fechado até que alguém o examine e reabra o acesso.
loss-lead-found-own = Que bom que você o tem. Continua fechado até que a segurança o examine e reabra: deixe desligado até lá.
loss-lead-mistaken = Nunca sumiu. O que podia reabrir reabriu; sessões, tokens e o túnel começam de novo.
loss-lead-mistaken-own = Nunca sumiu. Funciona de novo; entre outra vez onde você saiu e crie os tokens de novo.
loss-lead-back = Foi examinado e o acesso foi reaberto. Sessões, tokens e o túnel começam de novo.
loss-lead-back-own = O acesso foi reaberto. Entre outra vez onde você saiu e crie os tokens de novo.
loss-lead-closed = Tudo sobre isso está feito.
loss-lead-closed-own = Tudo sobre isso está feito.
loss-practice = Isto é um treino. Nada decorre dele.
loss-gone = A pessoa não trabalha mais aqui: os dispositivos dela já estão fechados.
loss-out-already = (já excluído)
loss-revoked = Este dispositivo já está fechado.
loss-elsewhere = Alguém foi mais rápido: olhe a página de novo.
loss-closed = Esta perda está encerrada.
loss-not-yours = Isto cabe a outra pessoa.
loss-steps-open = Outros passos ainda estão abertos. Faça-os antes; o último encerra.
loss-found-open = Diga antes se o acesso é reaberto.
loss-say = Escreva pelo menos uma frase.
loss-risk-choose = Escolha quão provável é.
loss-how-choose = Escolha o que vale.
loss-looked-at = Diga o que foi examinado antes de reabrir.
loss-doors = Portas
loss-doors-none = Esta coisa não abre nenhuma porta nossa.
loss-doors-shut = { $n } de { $of } fechadas
loss-doors-caption = Cada porta, como está agora e quando foi fechada
loss-door = Porta
loss-now = Agora
loss-shut-at = Fechada em
door-gate = Aplicações e check-ins
door-about-gate = Não é mais ouvido, e nenhuma aplicação o deixa entrar.
door-tunnel = Túnel
door-about-tunnel = { $n ->
    [0] Não tinha chave de túnel.
    [one] A chave foi esquecida.
   *[other] As { $n } chaves foram esquecidas.
}
door-sessions = Sessões em navegadores
door-about-sessions = { $n ->
    [0] Não havia outra.
    [one] Uma foi encerrada.
   *[other] { $n } foram encerradas.
}
door-tokens = Tokens de programas
door-about-tokens = { $n ->
    [0] Não havia nenhum.
    [one] Um foi encerrado.
   *[other] { $n } foram encerrados.
}
door-links = Links, códigos e o calendário
door-about-links = { $n ->
    [0] Nenhum esperava.
    [one] Um foi retirado.
   *[other] { $n } foram retirados.
}
door-agent = O próprio dispositivo
door-about-agent = Se um dia for ouvido, ele se bloqueia e esquece as chaves.
door-is-shut = Fechada
door-is-waits = Espera ser ouvido
door-is-open = Aberta
door-is-back = Aberta de novo
loss-clocks = Prazos
loss-clocks-caption = Cada passo com prazo: até quando, quanto já passou e como está
loss-used = Tempo usado
loss-due = Prazo
loss-clock-done = Feito { $time }
loss-clock-left = Até { $time }
loss-steps = O que falta fazer
loss-step = Passo
loss-step-by = Para { $name }.
loss-step-done = { $name }, { $time }.
loss-step-take = Dizer que está feito
loss-step-words = O que foi feito, com um número de referência se houver
loss-step-why = O que foi decidido e por quê
loss-step-press = Está feito
loss-passkeys = Suas chaves de acesso
loss-taker-you = você
loss-risk = Há risco para os dados de alguém?
loss-risk-none = Não: estava criptografado ou não tinha nada
loss-risk-unlikely = Pouco provável
loss-risk-likely = Provável
loss-timeline = O que aconteceu
loss-in-ledger = No registro
loss-event-told = Comunicada
loss-event-again = Comunicada de novo: o que se abriu desde então foi fechado
loss-event-heard = O dispositivo foi ouvido e recebeu a ordem de se bloquear e esquecer as chaves
loss-event-obeyed = O dispositivo se bloqueou e esqueceu as chaves
loss-event-forgot = O dispositivo esqueceu as chaves; não conseguiu bloquear a tela
loss-event-found = Achado
loss-event-mistaken = Dito alarme falso
loss-event-let-in = Acesso reaberto
loss-event-note = Nota
loss-event-step = Feito: { $step }
loss-event-practised = { $n ->
    [one] Você levou um segundo.
   *[other] Você levou { $n } segundos.
}
loss-encrypted-title = Estava criptografado?
loss-encrypted-yes = Sim, todos os discos
loss-encrypted-no = Não
loss-encrypted-unknown = Não se pode dizer
loss-encrypted = Criptografado
loss-disk = Disco
loss-disk-yes = Criptografado
loss-disk-no = Não criptografado
loss-disk-unknown = Não se pode dizer
loss-disk-how = Como
loss-report-age = Pelo relatório que ele mesmo selou, recebido { $time }. Quando a perda foi comunicada, isso tinha sido { $ago }.
loss-back = Você o tem de volta?
loss-back-lead = Deixe desligado até que o acesso seja reaberto: se for ouvido antes, ele se bloqueia e esquece as chaves.
loss-back-thing = Diga isso, e o que foi feito dele.
loss-back-forgot = Ele esqueceu as chaves. É registrado de novo, com um código do seu coordenador.
loss-back-words = Onde estava e o que foi examinado
loss-found = Foi achado
loss-mistaken = Nunca sumiu
loss-let-in = Reabrir o acesso
loss-what-title = O que se perdeu
loss-thing = Coisa
loss-kind = Tipo
loss-how = O que aconteceu
loss-whose = De quem
loss-noticed-at = Notado
loss-told-at = Comunicado
loss-told-by = Por
loss-way-page = Em uma página
loss-way-card = Com o cartão de carteira
loss-way-command = Com stead lost
loss-state = Agora
loss-note = Algo mais a registrar
loss-note-words = O que vale saber
thing-computer = Computador
thing-phone = Celular ou tablet
thing-storage = Pen drive, disco ou outra mídia
thing-papers = Papéis
thing-keys = Crachá ou chaves
thing-other = Outra coisa
loss-certificate-get = Certificado e linha do tempo (PDF)
loss-certificate = Certificado de uma perda: { $thing }
loss-certificate-lead = O que se perdeu, quando foi comunicado, que todas as portas foram fechadas e o que foi feito. Cada linha que o registro prova pode ser conferida sem nós.
loss-made = Feito { $time }
loss-done = Feito
loss-by = Por
loss-said = Em palavras
loss-when = Quando
loss-event = O quê
loss-entry = Entrada
loss-digest = Resumo da entrada
loss-proof = No registro
loss-proof-about = Confere-se com `stead-server ledger verify` e este checkpoint: { $checkpoint }
loss-card = Cartão de carteira
loss-card-about = { $name } tem um cartão de carteira, feito { $time }. Se ele também se perdeu, recolha-o: quem o achar poderia desligar os dispositivos.
card-title = Seu cartão de carteira
card-lead = Com ele você comunica uma perda de qualquer celular, sem entrar. Ele não abre nada e não mostra mais que os nomes dos seus dispositivos.
card-heading = Perdeu algo do trabalho?
card-step-open = Em qualquer celular, abra
card-step-code = Digite o código
card-step-press = Escolha o que sumiu e aperte
card-qr = Abre a página com o código
card-once = Imprima agora ou anote: o código só é mostrado desta vez.
card-made = Feito
card-used = Usado pela última vez
card-make = Fazer um cartão
card-again = Fazer outro cartão
card-end = Retirar
card-safe = Guarde longe do notebook. Quem o achar pode fechar seus dispositivos, e nada mais; outro cartão torna este inútil.
notice-card-ended = Seu cartão de carteira foi recolhido por quem cuida das perdas. Faça outro quando quiser.
notice-card-made = Um cartão de carteira foi feito para você. O anterior não vale mais.
notice-loss = { $device } foi dado como perdido e está fechado. Se não for verdade, desfaça na página.
notice-loss-of = { $device }, de { $name }, foi dado como perdido e está fechado.
notice-loss-heard = { $device }, de { $name }, dado como perdido, foi ouvido e recebeu a ordem de se bloquear e esquecer as chaves.
notice-loss-obeyed = { $device }, de { $name }, dado como perdido, esqueceu as chaves.
notice-loss-found = { $device }, de { $name }, foi achado. Continua fechado até que o acesso seja reaberto.
notice-loss-mistaken = { $device }, de { $name }, nunca sumiu.
notice-loss-let-in = { $device }, de { $name }, foi examinado e não está mais perdido.
notice-loss-closed = Tudo sobre a perda de { $device } está feito.
notice-loss-clock = { $device } está perdido, e isto precisa ser feito até { $due }: { $rule }.
notice-loss-late = { $device } está perdido, e isto precisava ser feito até { $due }: { $rule }.
event-loss-card-made = cartão de carteira feito
event-loss-closed = perda encerrada
event-loss-found = coisa perdida achada
event-loss-heard = dispositivo perdido ouvido
event-loss-let-in = dispositivo perdido reaberto
event-loss-mistaken = perda era alarme falso
event-loss-obeyed = dispositivo perdido esqueceu as chaves
event-loss-step = passo de uma perda feito
event-loss-told = perda comunicada
event-loss-again = perda comunicada de novo
hears-losses = Perdas
job-clocks = Vigia os prazos das perdas
record-losses-purpose = Fechar o acesso do que sumiu e fazer o que precisa seguir.
record-losses-kept = Enquanto você trabalhar aqui e um ano depois; então se apaga como se chamava e o que foi dito.
home-lost = { $device } foi dado como perdido
home-lost-step = { $device } foi dado como perdido.
home-lost-headline = { $device } foi dado como perdido e está fechado.
home-lost-lead = Nada se abre até que ele volte ou outro dispositivo seu seja conhecido. O que resta para você está abaixo.
home-lost-why = Está fechado. A página diz o que falta fazer.
person-lost = Comunicar uma perda por ela
device-lost = Este dispositivo foi dado como perdido. Nada nosso abre com ele.
device-lost-see = Ver a perda
